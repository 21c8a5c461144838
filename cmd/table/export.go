// -export: the model of -model for other programs, whose rows are of numbers.

package main

import (
	"fmt"
	"io"

	"mlp"
)

// writeExport writes the model of -model to the file of -export.
func (j *job) writeExport(stderr io.Writer) error {
	m, e, err := j.readModel()
	if err != nil {
		return err
	}
	return j.export.Write(e.withColumns(m), false, stderr)
}

// withColumns returns m with columns that make the inputs of e, instead of its standardization.
// A missing number, which e takes as the mean, is 0 when that is subtracted.
func (e *encoding) withColumns(m *mlp.Model) *mlp.Model {
	z := *m
	z.Input, z.Columns, z.Targets = mlp.Standardization{}, nil, nil
	at := 0
	for _, c := range e.Inputs {
		to := mlp.Column{Name: c.label(), Values: c.Values, Gaps: c.Gaps}
		if c.Unit != "" {
			to.Name += fmt.Sprintf(" in %s", c.Unit)
		}
		if !c.isCategory() {
			to.Mean, to.Std = m.Input.Mean[at:at+1], m.Input.Std[at:at+1]
		}
		z.Columns = append(z.Columns, to)
		at += c.width()
	}
	for _, c := range e.Targets {
		to := mlp.Column{Name: c.Name, Values: c.Values}
		if !c.isCategory() {
			to.Mean, to.Std = []float64{c.Mean}, []float64{c.Std}
		}
		z.Targets = append(z.Targets, to)
	}
	return &z
}
