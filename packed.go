// Weights packed by panels of columns, as training keeps them during an epoch. Not
// here: when training packs them (train.go) and how a product reads them (product.go).

package mlp

// packed is a matrix whose columns are cut in panels, one after the other, each of
// them row by row. For example 3×5 in panels of 2 columns:
//
//	 by rows              in panels
//	 0  1  2  3  4        0  1 │  6  7 │ 12
//	 5  6  7  8  9        2  3 │  8  9 │ 13
//	10 11 12 13 14        4  5 │ 10 11 │ 14
//
// A thread reads its panels for x·W and updates them after xᵀ·δ, and no other thread
// touches them. If the weights lay by rows, a thread's part of each row would lie
// between another's parts, and a processor that prefetches would take those from the
// other thread's cache.
type packed struct {
	rows, cols int
	data       []float64
}

// maxPanel is the most columns of a panel.
const maxPanel = 96

// panelCols returns how many columns the panels of a matrix of so many columns have:
// whole vectors, in as many panels as a power of two, which threads share out evenly.
func panelCols(cols int) int {
	panels := 1
	for panels*maxPanel < cols {
		panels *= 2
	}
	return max(8, roundUp((cols+panels-1)/panels, 8))
}

// panelOf returns where the panel of column j begins in the data of a rows×cols matrix
// with panels of so many columns, and the panel's own number of columns: the last may
// have fewer.
func panelOf(rows, cols, panel, j int) (begin, width int) {
	first := j - j%panel
	return first * rows, min(panel, cols-first)
}

func (p *packed) operand() operand {
	return operand{data: p.data, rows: p.rows, cols: p.cols, down: p.cols, across: 1, panel: panelCols(p.cols)}
}

// columns returns rows i0 to i1-1 of the columns j0 to j1-1, which are a panel. They
// lie together.
func (p *packed) columns(i0, i1, j0, j1 int) []float64 {
	width := j1 - j0
	return p.data[j0*p.rows:][i0*width : i1*width]
}

// pack makes p the packed form of m, in its own storage.
func (p *packed) pack(m *Matrix) {
	var storage = Matrix{Data: p.data}
	*p = packed{m.Rows, m.Cols, storage.Reset(m.Rows, m.Cols).Data}
	p.eachRow(m, func(row, panel []float64) { copy(panel, row) })
}

// unpack copies p's elements to m, which has the same shape.
func (p *packed) unpack(m *Matrix) {
	p.eachRow(m, func(row, panel []float64) { copy(row, panel) })
}

func (p *packed) eachRow(m *Matrix, do func(row, panel []float64)) {
	size := panelCols(p.cols)
	for j := 0; j < p.cols; j += size {
		begin, width := panelOf(p.rows, p.cols, size, j)
		for i := range p.rows {
			do(m.Row(i)[j:j+width], p.data[begin+i*width:][:width])
		}
	}
}
