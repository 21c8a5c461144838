// Weights packed by panels of columns, as training keeps them during an epoch. Not
// here: when training packs them (train.go) and how a product reads them (product.go).

package mlp

// packed holds a matrix in panels of columns. The panels follow one another, and each is
// stored row by row. For example 3×5 elements in panels of 2 columns, by their places in
// memory:
//
//	 a Matrix             packed
//	 0  1  2  3  4        0  1 │  6  7 │ 12
//	 5  6  7  8  9        2  3 │  8  9 │ 13
//	10 11 12 13 14        4  5 │ 10 11 │ 14
//
// If there are few threads, each reads whole panels for x·W and updates them after xᵀ·δ, and
// no other thread touches them. If weights were stored by rows, each thread's columns would
// be interleaved with another's, and hardware prefetching would move them between caches.
type packed struct {
	rows, cols int
	data       []float64
	of         []interval // the rows of the matrix that are packed
}

// maxPanel is the most columns of a panel.
const maxPanel = 96

// panelCols returns how many columns the panels of a matrix of so many columns have: a
// multiple of 8, at most maxPanel. The number of panels is a power of two or a little
// less, so that threads share them out evenly.
func panelCols(cols int) int {
	panels := 1
	for panels*maxPanel < cols {
		panels *= 2
	}
	return max(8, roundUp(ceil(cols, panels), 8))
}

// panelOf returns where the panel of column j begins in the data of a packed rows×cols
// matrix, and how many columns it has. All panels but the last have panel columns.
func panelOf(rows, cols, panel, j int) (begin, width int) {
	first := j - j%panel
	return first * rows, min(panel, cols-first)
}

func (p *packed) operand() operand {
	return operand{data: p.data, rows: p.rows, cols: p.cols, down: p.cols, across: 1, panel: panelCols(p.cols)}
}

// columns returns rows i0 to i1-1 of the columns j0 to j1-1. The columns must be one
// whole panel, whose rows are contiguous.
func (p *packed) columns(i0, i1, j0, j1 int) []float64 {
	width := j1 - j0
	return p.data[j0*p.rows:][i0*width : i1*width]
}

// pack copies the rows of m in these intervals into p, or all rows if there is none,
// reusing p's storage.
func (p *packed) pack(m *Matrix, of ...interval) {
	if p.of = append(p.of[:0], of...); len(of) == 0 {
		p.of = append(p.of, interval{0, m.Rows})
	}
	storage := Matrix{Data: p.data}
	p.rows, p.cols = total(p.of), m.Cols
	p.data = storage.Reset(p.rows, p.cols).Data
	p.eachRow(m, func(row, panel []float64) { copy(panel, row) })
}

// unpack copies p's elements back to m and leaves the rows that were not packed.
func (p *packed) unpack(m *Matrix) {
	p.eachRow(m, func(row, panel []float64) { copy(row, panel) })
}

func (p *packed) eachRow(m *Matrix, do func(row, panel []float64)) {
	size := panelCols(p.cols)
	for j := 0; j < p.cols; j += size {
		begin, width := panelOf(p.rows, p.cols, size, j)
		panel := p.data[begin:]
		for _, rows := range p.of {
			for i := rows.lo; i < rows.hi; i++ {
				do(m.Row(i)[j:j+width], panel[:width])
				panel = panel[width:]
			}
		}
	}
}
