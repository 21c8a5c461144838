// -export: the model of -model for other programs, whose rows are of numbers.

package main

import (
	"io"
	"slices"

	"mlp"
)

// writeExport writes the model of -model to the file of -export.
func (j *job) writeExport(stderr io.Writer) error {
	m, e, err := j.readModel()
	if err != nil {
		return err
	}
	return j.export.Write(e.withUnits(m), false, stderr)
}

// withUnits returns m with the units of its columns in their names.
func (e *encoding) withUnits(m *mlp.Model) *mlp.Model {
	z := *m
	z.Columns = slices.Clone(m.Columns)
	for i, c := range e.Inputs {
		if c.Unit != "" {
			z.Columns[i].Name += " in " + c.Unit
		}
	}
	return &z
}
