// The page of a model of cmd/table. What it computes in the browser is in page.js and tables.js,
// and its parts are in tables.html.

package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"

	"mlp"
	"mlp/cmd/internal/training"
)

var (
	//go:embed tables.html
	tablesText string
	//go:embed tables.js
	tablesScript string

	tablesPage = template.Must(template.Must(page.Clone()).New("tables").Parse(tablesText))
)

// A Table has what the page shows beside the networks, as JSON. A row is the raw numbers of the
// model's columns, and NaN is one that is missing.
type Table struct {
	Columns    []TableColumn
	Fill       bool        // a missing cell is taken as the column's mean, and is no error
	Start      Numbers     // the median row
	Shown      []int       // the columns whose fields the page has, in order
	Importance []Important // the most important column first
	Effects    []Effect
	Points     []Points // of numbers, for each of the first targets
	Usual      Numbers  // of numbers, the root of the mean squared error of each target
	Bins       []Bin    // of probabilities
	Worst      []Worst  // the worst row first

	// What is in the page and not in the JSON.
	Rows, Judged string      `json:"-"` // how many rows were judged, and which they are
	Printed      string      `json:"-"` // what was printed of them
	Ranked       string      `json:"-"` // which rows and columns the importance is of
	Loss         float64     `json:"-"` // of these rows with no column shuffled
	Confusions   []Confusion `json:"-"`
}

// A TableColumn is a column of the model, and how the file has it: the name there, a kind and
// a part of dates, or the unit and the marks of numbers. If Other is set, the last of Values
// is what all other texts are.
type TableColumn struct {
	mlp.Column
	File, Kind, Part, Unit string
	Comma, Grouped, Other  bool
}

// Important is a column, and by how much the loss rises with it shuffled: the mean and the
// standard deviation.
type Important struct {
	Column int
	Rise   Numbers
}

// An Effect is what the model answers if a column has the values of Grid in each row: of each
// output the mean over the rows, and the answers for some of them. Rug has the column's values
// in the rows.
type Effect struct {
	Column    int
	Grid, Rug Numbers
	Mean      []Numbers
	Single    [][]Numbers
}

// Points are what is true and what is predicted of the same rows.
type Points struct{ True, Predicted Numbers }

// A Bin is of answers with about the same probability: how many, their mean probability and the
// share of them that is right.
type Bin struct {
	N           int
	Mean, Right float64
}

// Worst is a row of the file, from 1, and what is true and what was predicted of it.
type Worst struct {
	Row             int
	Cells           Numbers
	Truth, Answered string
}

// A Confusion counts a target's categories, in a row for each that is true and a column for
// each that was predicted. Scores has for each row the recall, the precision and F1.
type Confusion struct {
	Target string
	Names  []string
	Counts [][]int
	Scores [][]string
}

// Numbers are float64 as JSON, as appendNumber writes them.
type Numbers []float64

// MarshalJSON returns the shortest texts from which the same numbers are read.
func (n Numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, v, -1)
	}
	return append(b, ']'), nil
}

// CheckTable returns an error for a model whose page would have more than two million parameters,
// or whose activation the page cannot compute.
func CheckTable(m *mlp.Model) error { return check(m, maxParameters/2) }

// TableHTML returns the page of a model of cmd/table, which lies in a file. The same arguments give
// the same bytes. TableHTML returns an error if CheckTable does, or if a number is not finite
// that must be.
func TableHTML(m *mlp.Model, file string, t *Table) ([]byte, error) {
	if err := CheckTable(m); err != nil {
		return nil, err
	}
	d := struct {
		*Table
		Task        mlp.Task
		Targets     mlp.Columns
		Temperature float64
		Margins     []float64
		Networks    [][]layer
		History     []epoch
	}{Table: t, Task: m.Task(), Targets: m.Targets, Temperature: m.Temperature, Margins: m.Margins}
	nets := []mlp.Network{m.Net}
	for _, other := range m.Others {
		nets = append(nets, other.Net)
	}
	for i, net := range nets {
		layers, err := layersOf(net)
		if err != nil {
			return nil, fmt.Errorf("network %d: %w", i+1, err)
		}
		d.Networks = append(d.Networks, layers)
	}
	for _, e := range m.History() {
		d.History = append(d.History, epoch{Loss: number(e.Loss), ValidationLoss: number(e.ValidationLoss)})
	}
	text, err := json.Marshal(d) // which also escapes what would end the script's element
	if err != nil {
		return nil, err
	}
	summary := training.Summary(m.Net)
	if n := len(m.Others); n > 0 {
		summary = fmt.Sprintf("%d networks of %s", n+1, summary)
	}
	return write(tablesPage, style, tablesScript, map[string]any{
		"Title": "See it decide: " + summary, "Name": "See it decide", "Data": d, "JSON": template.JS(text),
		"Lead": "A model that was trained on a table. It computes here, in your browser; nothing is sent.",
		"Figures": []fact{{"Network", summary}, {"Parameters", grouped((1 + len(m.Others)) * m.Net.Parameters())},
			{"Judged by", t.Rows + " rows that it had not seen"}},
		"Parts": []fact{{"row", "Ask it"}, {"mistakes", "Mistakes"}, {"columns", "Columns"}, {"worst", "Worst rows"},
			{"history", "History"}, {"facts", "What it is"}},
		"Facts": facts(m, training.Table, file, fact{"judged by", t.Judged}),
	})
}
