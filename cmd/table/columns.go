// What the columns of a file are: a first reading counts how their cells are written, and
// decides.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"mlp/cmd/internal/cli"
)

// A profile is what the first reading finds in a column of the file, and what it is taken as.
type profile struct {
	name     string
	isTarget bool

	cells, gaps    int               // with a text, and without
	numbers        int               // cells that are numbers
	points, commas int               // of them, those that are one only if the point or the comma is the decimal mark
	groups         [2]bool           // there are thousands separators if the point is it, and if the comma is
	units          []unit            // of numbers, the first that differ
	dates          [kindsOfDates]int // cells of each of kinds
	values         []string          // the first that differ
	last           float64
	isAscending    bool // each number is one more than the one before

	what    string    // it is taken as: the kind, for people
	words   int       // cells that are not of that kind
	columns []*column // what it becomes, unless it is left out
	says    string    // what it is taken as, for people, or why it is left out
}

// A unit is one of numbers in a column.
type unit struct {
	name, text string // text is the first cell that has it
	row, cells int
}

// The most different values and units of a column that are kept. A target of numbers with no
// more values looks like one of classes.
const fewValues, fewUnits = 10, 9

// profilesOf reads a file, and returns its columns and the number of rows. The targets are the
// last columns.
func (j *job) profilesOf(ctx context.Context, s *source, stderr io.Writer) (all []*profile, n int, err error) {
	r, err := s.rows(ctx)
	if err != nil {
		return nil, 0, err
	}
	all, at, err := j.used(r)
	if err != nil {
		return nil, 0, err
	}
	for {
		cells, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		for i, p := range all {
			p.add(strings.TrimSpace(cells[at[i]]), r.n)
		}
	}
	if r.n == 1 {
		return nil, 0, fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	commas := 0 // columns that tell the comma is the decimal mark, less those of the point
	for _, p := range all {
		commas += cmp.Compare(p.commas, p.points)
	}
	for _, p := range all {
		if err := j.decide(p, r.separator, commas, len(all) == len(j.target)+1, stderr); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return all, r.n - 1, nil
}

// used returns the columns that are used, and their places: inputs in the order of the file,
// and targets in that of -target.
func (j *job) used(r *rows) (all []*profile, at []int, err error) {
	if len(j.target) == 0 {
		return nil, nil, cli.WrongFlag(fmt.Errorf("%s: -target must name the column to predict, one of %.500s", r.name, columnNames(r.header)))
	}
	for _, name := range slices.Concat(j.target, j.without, j.text) {
		if _, err := r.position(name); err != nil {
			return nil, nil, err
		}
	}
	for i, name := range r.header {
		if !slices.Contains(j.target, name) && !slices.Contains(j.without, name) {
			all, at = append(all, &profile{name: name}), append(at, i)
		}
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("%s: no column is left to predict from", r.name)
	}
	for _, name := range j.target {
		if slices.Contains(j.without, name) {
			return nil, nil, fmt.Errorf("%s: column %.60q is a target, and -without leaves it out", r.name, name)
		}
		all, at = append(all, &profile{name: name, isTarget: true}), append(at, slices.Index(r.header, name))
	}
	return all, at, nil
}

// add counts the cell of a row.
func (p *profile) add(text string, row int) {
	if len(p.values) <= fewValues && !isGap(text, true) && !slices.Contains(p.values, text) {
		p.values = append(p.values, strings.Clone(text))
	}
	if isGap(text, false) {
		p.gaps++
		return
	}
	p.cells++
	point, comma, name := numberIn(text)
	if isPoint, isComma := point == point, comma == comma; isPoint || isComma {
		p.numbers++
		p.addUnit(name, text, row)
		if isPoint && point != comma && strings.Contains(text, ",") {
			p.groups[0] = true
		}
		if isComma && point != comma && strings.Contains(text, ".") {
			p.groups[1] = true
		}
		if !isComma {
			p.points++
		}
		if !isPoint {
			p.commas++
		}
	}
	p.isAscending = p.cells == 1 || p.isAscending && point == p.last+1
	p.last = point
	for i, k := range kinds {
		if p.cells > 100 && 2*p.dates[i] < p.cells { // it is another
			continue
		}
		if _, ok := k.read(text); ok {
			p.dates[i]++
		}
	}
}

// addUnit counts a number's unit.
func (p *profile) addUnit(name, text string, row int) {
	i := slices.IndexFunc(p.units, func(u unit) bool { return u.name == name })
	if i < 0 && len(p.units) < fewUnits {
		i = len(p.units)
		p.units = append(p.units, unit{strings.Clone(name), strings.Clone(text[:min(len(text), 100)]), row, 0})
	}
	if i >= 0 {
		p.units[i].cells++
	}
}

// unit returns the unit that most numbers have, and how many cells fit it. A number without
// one fits a currency, and any unit that is not rare but percent, which would be a hundred times
// as much.
func (p *profile) unit() (name string, fit int) {
	plain := 0
	for _, u := range p.units {
		if u.name == "" {
			plain = u.cells
		}
	}
	for _, u := range p.units {
		n := u.cells
		_, isMoney := currency(u.name)
		if isMoney || u.name != "" && u.name != percent && 10*n >= plain {
			n += plain
		}
		if n > fit {
			name, fit = u.name, n
		}
	}
	return name, fit
}

// mixed returns two numbers whose sizes cannot be compared, if most cells are numbers: in two
// currencies, or one in percent and one not.
func (p *profile) mixed() (a, b unit, ok bool) {
	for i, b := range p.units {
		_, isMoney := currency(b.name)
		for _, a := range p.units[:i] {
			_, both := currency(a.name)
			if 2*p.numbers > p.cells && (both && isMoney || (a.name == percent) != (b.name == percent)) {
				return a, b, true
			}
		}
	}
	return a, b, false
}

// tolerable reports whether so few of the cells of a column are not of its kind that they may
// be taken as missing.
func tolerable(words, cells int) bool { return words <= max(3, cells/100) }

// numbersRows reports whether the cells are consecutive integers. A few that do not begin with
// 0 or 1 may be years.
func (p *profile) numbersRows() bool {
	first := p.last - float64(p.cells-1)
	return p.isAscending && p.gaps == 0 && p.cells >= 10 && first == math.Trunc(first) && (first == 0 || first == 1 || p.cells >= 100)
}

// decide decides what a column is taken as, in a file with this separator of which more columns
// have the comma as decimal mark than the point, or fewer. If most cells are of a kind, and
// those in another unit are few, it is that kind's. Otherwise it has categories, and so has a
// target of two different values.
func (j *job) decide(p *profile, separator rune, commas int, isOnly bool, stderr io.Writer) error {
	c := &column{Name: p.name}
	unit, fit := p.unit()
	most := slices.Index(p.dates[:], slices.Max(p.dates[:]))
	switch k := &kinds[most]; {
	case len(p.values) == 0 && p.isTarget:
		return fmt.Errorf("the target %.60q has no values", p.name)
	case len(p.values) == 0:
		p.says = "it has no values"
		return nil
	case p.isTarget && len(p.values) == 1:
		return fmt.Errorf("the target %.60q is always %.60q, there is nothing to learn", p.name, p.values[0])
	case slices.Contains(j.text, p.name) || p.isTarget && len(p.values) == 2:
		c.codes = map[string]int{}
	case p.numbersRows() && !p.isTarget && !isOnly:
		p.says = "it numbers the rows"
		return nil
	case 2*p.dates[most] > p.cells && p.dates[most] > fit && !p.isTarget:
		p.words = p.cells - p.dates[most]
		for _, part := range k.parts {
			p.columns = append(p.columns, &column{Name: p.name, Kind: k.name, Part: part.name, read: k.read, of: part.of})
		}
		c, p.what = p.columns[0], k.what
		if other := slices.Index(p.dates[most+1:], p.dates[most]); other >= 0 {
			warn(stderr, "column %.60q: %.60q may be a %s, and is taken as a %s", p.name, p.values[0], kinds[most+1+other].what, k.what)
		}
	case 2*fit > p.cells && tolerable(p.numbers-fit, p.cells):
		p.words, p.what, c.Unit = p.cells-fit, "number", unit
		if unit != "" {
			p.what += " in " + unit
		}
		c.Comma = p.commas > p.points || p.commas == p.points && (commas > 0 || commas == 0 && separator == ';' && p.groups[0] && !p.groups[1])
		c.Grouped = c.Comma && p.groups[1] || !c.Comma && p.groups[0]
		if c.Comma && (p.commas > 0 || p.groups[0]) {
			p.what += " with a decimal comma"
		}
		if p.isTarget && len(p.values) <= fewValues {
			warn(stderr, "the target %.60q is taken as a number; if its %d values are classes, take -category %s", p.name, len(p.values), flagged(p.name))
		}
	default:
		if a, b, ok := p.mixed(); ok {
			return fmt.Errorf("column %.60q: %.60q in row %d and %.60q in row %d are not in one unit; -without %s leaves the column out", p.name, a.text, a.row, b.text, b.row, flagged(p.name))
		}
		c.codes = map[string]int{}
	}
	if p.columns == nil {
		p.columns = []*column{c}
	}
	c.Gaps = !c.isCategory() && !p.isTarget && p.gaps+p.words > 0
	c.cells, c.words = p.cells, p.words
	return nil
}

// settle decides whether a column with these values is left out, and says what it is taken as
// or why it is left out.
func (p *profile) settle(c *column, values []float64) (says string, isLeft bool) {
	if c.isCategory() {
		return p.settleCategories(c, values)
	}
	what, n, lo, hi := p.what, 0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v == v {
			n, lo, hi = n+1, min(lo, v), max(hi, v)
		}
	}
	switch {
	case n == 0:
		return "it has no values", true
	case lo == hi && !c.Gaps && !p.isTarget:
		return fmt.Sprintf("it is always %.60q", p.values[0]), true
	case c.of != nil && c.Part != "":
		date := func(days float64) string { return time.Unix(int64(days)*86400, 0).UTC().Format(time.DateOnly) }
		return fmt.Sprintf("%s, %d cells from %s to %s%s", what, n, date(lo), date(hi), missing(len(values)-n)), false
	case p.isYesNo():
		what = "yes/no"
	}
	return fmt.Sprintf("%s, %d cells from %v to %v%s", what, n, lo, hi, missing(len(values)-n)), false
}

// The rare categories of a column with more than fewCategories share an input: those that fewer
// than rareRows rows have.
const fewCategories, rareRows = 20, 5

// settleCategories decides which categories share an input, and makes values the places of the
// others.
func (p *profile) settleCategories(c *column, values []float64) (says string, isLeft bool) {
	if c.isMany {
		return fmt.Sprintf("it has more than %d different texts", maxTexts), true
	}
	counts, rows := make([]int, len(c.Values)), 0
	for _, v := range values {
		if v >= 0 {
			counts[int(v)]++
		}
	}
	var common []int // the categories that rows have, the most frequent first
	for k, n := range counts {
		if n > 0 && c.Values[k] != "" {
			common = append(common, k)
			rows += n
		}
	}
	slices.SortFunc(common, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), compareCategories(c.Values[a], c.Values[b]))
	})
	all, rare, gaps := len(common), 0, len(values)-rows
	for all > fewCategories && !p.isTarget && len(common) > 0 && (len(common) > maxCategories-2 || counts[common[len(common)-1]] < rareRows) {
		rare += counts[common[len(common)-1]]
		common = common[:len(common)-1]
	}
	switch {
	case p.isTarget:
	case all == 0:
		return "it has no values", true
	case all == 1 && gaps == 0:
		return fmt.Sprintf("it is always %.60q", c.Values[common[0]]), true
	case all > 2 && 2*all > rows || 2*rare > rows:
		a, b := p.values[0], p.values[1]
		if len(p.units) > 1 {
			a, b = p.units[0].text, p.units[1].text
		}
		return fmt.Sprintf("it has %d different texts in %d rows, such as %.60q and %.60q", all, rows, a, b), true
	}
	what := "category"
	if p.isYesNo() {
		what = "yes/no"
	}
	says = fmt.Sprintf("%s, %d cells of %d values", what, rows, all)
	if all <= fewListed {
		var each []string
		for _, k := range common {
			each = append(each, fmt.Sprintf("%s %d", short(c.Values[k]), counts[k]))
		}
		says = fmt.Sprintf("%s, %d cells: %s", what, rows, strings.Join(each, ", "))
	}
	if rare > 0 {
		says += fmt.Sprintf(", %d of them rare and taken as one", all-len(common))
	}
	places := c.keep(common, gaps > 0, rare > 0)
	for r, v := range values {
		if v >= 0 {
			values[r] = places[int(v)]
		}
	}
	return says + missing(gaps), false
}

// keep sorts the categories of c and keeps those at some places, that of missing cells if there
// are any, and one for all others. It returns the new place of each.
func (c *column) keep(places []int, gaps, others bool) (now []float64) {
	found := c.Values
	c.Values = nil
	clear(c.codes)
	for _, k := range places {
		c.Values = append(c.Values, found[k])
	}
	if gaps {
		c.Values = append(c.Values, "")
	}
	slices.SortFunc(c.Values, compareCategories)
	for k, v := range c.Values {
		c.codes[v] = k
	}
	if others {
		name := "other"
		for slices.Contains(found, name) {
			name = "(" + name + ")"
		}
		c.Values, c.Other = append(c.Values, name), true
	}
	for _, v := range found {
		k, ok := c.codes[v]
		if !ok {
			k = len(c.Values) - 1
		}
		now = append(now, float64(k))
	}
	return now
}

// fewListed is the most categories that are listed with their counts.
const fewListed = 5

// missing returns how many cells are missing, for the end of a line.
func missing(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d missing", n)
}

// isYesNo reports whether the values are a yes and a no.
func (p *profile) isYesNo() bool {
	if len(p.values) != 2 {
		return false
	}
	a, b := strings.ToLower(p.values[0]), strings.ToLower(p.values[1])
	switch min(a, b) + " " + max(a, b) {
	case "0 1", "n y", "no yes", "f t", "false true", "j n", "ja nein", "non oui", "off on":
		return true
	}
	return false
}

// describe says what the columns are taken as, first of the targets and of those left out, but
// not of too many.
func describe(w io.Writer, profiles []*profile) {
	const most = 40
	order := slices.Clone(profiles)
	rank := func(p *profile) int {
		switch {
		case p.isTarget:
			return 0
		case len(p.columns) == 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(order, func(a, b *profile) int { return cmp.Compare(rank(a), rank(b)) })
	for _, p := range order[:min(most, len(order))] {
		name := short(p.name)
		switch rank(p) {
		case 0:
			name += " (target)"
		case 1:
			name += " (left out)"
		}
		fmt.Fprintf(w, "column %s: %s\n", name, cli.Plain(p.says))
	}
	if n := len(order); n > most {
		fmt.Fprintf(w, "and %d columns more\n", n-most)
	}
}
