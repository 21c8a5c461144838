// -export: the model of -model for other programs, whose rows are of numbers.

package main

import (
	"io"
)

// writeExport writes the model of -model to the file of -export. Who writes a row by hand must
// know the units of the numbers.
func (j *job) writeExport(stderr io.Writer) error {
	m, e, err := j.readModel()
	if err != nil {
		return err
	}
	for i, c := range e.Inputs {
		if c.Unit != "" {
			m.Columns[i].Name += " in " + c.Unit
		}
	}
	return j.export.Write(m, false, stderr)
}
