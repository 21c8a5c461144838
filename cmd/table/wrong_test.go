// Wrong files, wrong flags, model files that were changed, and tables that were changed since:
// one line that names the file, the row and the column, exit code 1 or 2, and nothing written.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// refused runs table, which must end with exit code 1 and one line that has the text, and
// must print and write nothing else.
func refused(t *testing.T, args []string, want string) {
	t.Helper()
	refusedWith(t, 1, args, want)
}

func refusedWith(t *testing.T, exit int, args []string, want string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	line := strings.Join(args, " ")
	if !strings.Contains(line, "-resume") && !strings.Contains(line, "-model") && !strings.Contains(line, "-verify") {
		args = append([]string{"-out", out}, args...)
	}
	var stdout bytes.Buffer
	stderr, code := command(t, context.Background(), &stdout, args...)
	last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]
	if code != exit || !strings.HasPrefix(last, "table: ") || !strings.Contains(last, want) || len(last) > 500 {
		t.Errorf("%.300q: exit code %d, standard error %.500q, want %q", args, code, stderr, want)
	}
	if stdout.Len() > 0 {
		t.Errorf("%.300q: standard output %.100q", args, stdout.String())
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%.300q: something was written", args)
	}
}

// abc is a good table of 30 rows.
func abc() string {
	return "a,b,c\n" + strings.Repeat("1,2,x\n2,3,y\n4,3,x\n", 10)
}

func TestWrongFiles(t *testing.T) {
	header := "a,b,c\n"
	wide := strings.Repeat("x,", 99_999) + "y\n"
	for _, c := range []struct{ name, text, flags, want string }{
		{"ragged row", header + "1,2,x\n1,2\n", "-target c", "F: row 2 (line 3): 2 cells, the header has 3\n"},
		{"quote that never closes", abc() + "1,\"2,x\n" + abc(), "-target c", "F: row 31 (line 32): a quote that never closes, or one inside a quoted cell\n"},
		{"quote inside a cell", abc() + "1,2\"3,x\n", "-target c", "F: row 31 (line 32): a quote inside a cell that does not begin with one\n"},
		{"long quote", "a,b,c\n1,2,\"" + strings.Repeat("x", 17<<20), "-target c", "F: row 1: more than 16777216 bytes, is there a quote that never closes?\n"},
		{"not numbers", abc() + strings.Repeat("1,two,x\n", 4), "-target c",
			"F: row 31 (line 32), column \"b\": \"two\" is not a number, as 4 of 34 cells; -category 'b' takes them as texts\n"},
		{"row 99,999", header + strings.Repeat("1,2,x\n2,3,y\n", 49_999) + "1,2e999,x\n1,2,x\n", "-target c",
			"F: row 99999 (line 100000), column \"b\": \"2e999\" is infinite\n"},
		{"not dates", "a,c\n" + strings.Repeat("28.02.2023,x\n27.02.2023,y\n", 20) + strings.Repeat("29.02.2023,x\n", 4), "-target c",
			"F: row 41 (line 42), column \"a\": \"29.02.2023\" is not a date or time as the others, as 4 of 44 cells; -category 'a' takes them as texts\n"},
		{"two currencies", "a,c\n" + strings.Repeat("\"$1,234\",x\n$17.50,y\n12 EUR,y\n", 9), "-target c",
			"F: column \"a\": \"$1,234\" in row 1 and \"12 EUR\" in row 3 are not in one unit; -without 'a' leaves the column out\n"},
		{"not all in percent", "a,c\n" + strings.Repeat("5%,x\n7 %,y\n0.05,y\n", 9), "-target c",
			"F: column \"a\": \"5%\" in row 1 and \"0.05\" in row 3 are not in one unit; -without 'a' leaves the column out\n"},
		{"only a header", header, "-target c", "F: there is a header, but no row\n"},
		{"a header twice", abc() + abc(), "-target c", "F: row 31 (line 32): the header again\n"},
		{"one name twice", "a,b,a\n1,2,3\n", "-target b", "F: columns 1 and 3 are both named \"a\"\n"},
		{"no header", "1,2,3\n1,2,3\n", "-target b", "F: the first line has only numbers, want the names of the columns\n"},
		{"no target", abc(), "-target C2", "F: there is no column \"C2\"; the nearest name is \"c\"\n"},
		{"no such target named", "a b,\"c,d;;;;\",e\n1,2,3\n", "", "F: -target must name the column to predict, one of a b,\"c,d;;;;\",e\n"},
		{"beginning of a name", "Baujahr,Ort,Kaufpreis in €\n1,2,3\n", "-target kaufpreis", "F: there is no column \"kaufpreis\"; the nearest name is \"Kaufpreis in €\"\n"},
		{"column to quote", "\"a's, $b\",c\n" + strings.Repeat("1,x\n2,y\n", 9) + strings.Repeat("z,x\n", 4), "-target c",
			"F: row 19 (line 20), column \"a's, $b\": \"z\" is not a number, as 4 of 22 cells; -category '\"a'\\''s, $b\"' takes them as texts\n"},
		{"too many inputs", "a,b,c,d,e,f,g,h,i,j,k,y\n" + strings.Repeat(alike(11, 990), 10), "-target y", "F: numbers and categories make more than 10000 inputs\n"},
		{"too many texts", manyNames(300) + "y\n" + alike(300, 900), "-target y",
			"F: row 874 (line 875), column \"c242\": the columns have more than 262144 different texts; -without 'c242' leaves this one out\n"},
		{"too long names", "a,y\n" + strings.Repeat(strings.Repeat("\\", 500_000)+",1\nx,2\n", 10), "-target y -category y", "F: the names of the columns and categories take 1000103 bytes, more than 1000000\n"},
		{"target left out", abc(), "-target c -without c", "F: column \"c\" is a target, and -without leaves it out\n"},
		{"nothing left", "c\nx\ny\n", "-target c", "F: no column is left to predict from\n"},
		{"all different", "id,b\nu1,1\nu2,2\nu3,3\n", "-target id", "F: the target \"id\" has 3 different categories in 3 rows, which say nothing about another row\n"},
		{"nothing to predict from", "id,c\n" + manyWords(1001), "-target c", "F: no column is left to predict from\n"},
		{"too many categories", "id,c\n" + manyWords(1001), "-target id", "F: row 1001 (line 1002), column \"id\": more than 1000 categories\n"},
		{"target never varies", "a,c\n1,x\n2,x\n3,x\n", "-target c", "F: the target \"c\" is always \"x\", there is nothing to learn\n"},
		{"target varies once", "a,c\n" + strings.Repeat("1,5\n2,5\n", 20) + "1,6\n1,7\n", "-target c -holdout 0.9 -seed 5", "F: column \"c\": the target never varies in the training rows\n"},
		{"infinite", abc() + "1,1e999,x\n", "-target c", "F: row 31 (line 32), column \"b\": \"1e999\" is infinite\n"},
		{"too large", "a,c\n" + strings.Repeat("1e308,x\n-1e308,y\n", 20), "-target c", "F: column \"a\": its numbers are too large for a mean and a deviation\n"},
		{"100,000 columns", wide, "-target y", "F: the header: more than 10000 columns\n"},
		{"missing category", abc() + "1,2,\n", "-target a -missing refuse", "F: row 31 (line 32), column \"c\": the cell is missing, and -missing refuse is set\n"},
		{"missing number", abc() + "1,NA,x\n", "-target c -missing refuse", "F: row 31 (line 32), column \"b\": the cell is missing, and -missing refuse is set\n"},
		{"one word", abc() + "1,two,x\n", "-target c -missing refuse", "F: row 31 (line 32), column \"b\": \"two\" is not a number\n"},
		{"targets without values", "a,c\n1,\n2,\n", "-target c", "F: the target \"c\" has no values\n"},
		{"UTF-16", "\xff\xfea\x00", "-target c", "F: UTF-16, want UTF-8; iconv -f UTF-16 -t UTF-8 converts it\n"},
		{"too few rows", "a,c\n1,x\n2,y\n1,x\n2,y\n", "-target c -holdout 0.2", "F: -holdout 0.2 of 4 rows is none, there is nothing to test on\n"},
		{"too few to hold out", "a,c\n1,x\n2,y\n1,x\n2,y\n", "-target c -holdout 0.75", "F: a row to train on and one to hold out are needed\n"},
		{"label of three", "a,b,c\n" + strings.Repeat("1,u,x\n2,v,y\n2,w,y\n", 9), "-target b,c", "F: the target \"b\" has 3 categories, but each of two or more targets must be a yes or no\n"},
		{"mixed targets", "a,b,c\n" + strings.Repeat("1,1,x\n2,2,y\n2,3,y\n", 9), "-target b,c", "F: \"b\" and \"c\" are targets, one of numbers and one of categories\n"},
		{"weights of numbers", "a,c\n" + strings.Repeat("1,1\n2,2\n2,3\n", 9), "-target c -weights balanced", "F: -weights balanced is for one target of categories\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := file(t, "data.csv", c.text)
			exit := 1
			if c.flags == "" {
				exit = 2
			}
			refusedWith(t, exit, append(strings.Fields(c.flags), name), strings.Replace(c.want, "F:", "table: "+name+":", 1))
		})
	}
}

// manyNames has names of columns.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "c%d,", i)
	}
	return b.String()
}

// manyWords has rows of words that all differ.
func manyWords(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d,%s\n", i, []string{"x", "y"}[i%2])
	}
	return b.String()
}

// alike has rows of cells that are alike in a row, and differ from row to row.
func alike(cells, rows int) string {
	var b strings.Builder
	for word := range strings.Lines(manyWords(rows)) {
		word, answer, _ := strings.Cut(word, ",")
		b.WriteString(strings.Repeat(word+",", cells) + answer)
	}
	return b.String()
}

// A file of 10 GB is refused before it is read. What -model reads may have any size, but
// not in one row.
func TestHugeFile(t *testing.T) {
	name := file(t, "huge.csv", strings.Repeat(",", maxColumns))
	if err := os.Truncate(name, 10_000_000_000); err != nil {
		t.Skip("no sparse files: ", err)
	}
	refused(t, []string{"-target", "c", name}, "table: "+name+": 10000000000 bytes, more than 4294967296\n")
	refused(t, []string{"-model", trained(t), name}, "table: "+name+": the header: more than 10000 columns\n")
}

// Nothing of a file is printed if one of its rows cannot be predicted.
func TestPredictRefused(t *testing.T) {
	model := trained(t)
	many := strings.Repeat("5.1,3.5,1.4,0.2\n", 2000)
	header := "sepal length,sepal width,petal length,petal width\n"
	for text, want := range map[string]string{
		header + many + many + many + "5.1,3.5,1.4,1.7e308\n" + many: "row 6001: its numbers are so large that the answer is not finite\n",
		header + strings.Repeat("5.1,3.5,1.4,x\n", 4) + many:         "row 4 (line 5), column \"petal width\": \"x\" is not a number\n",
		header + many + "5.1,3.5,1.4\n":                              "row 2001 (line 2002): 3 cells, the header has 4\n",
		"sepal length,sepal width,petal width\n1,2,3\n":              "there is no column \"petal length\"; the nearest name is \"sepal length\"\n",
		"": "the file is empty\n",
	} {
		name := file(t, "new.csv", text)
		refused(t, []string{"-model", model, name}, "table: "+name+": "+want)
	}
	refused(t, []string{"no.csv"}, "table: stat no.csv: no such file or directory\n")
	out := t.TempDir()
	refused(t, []string{"-model", out, "new.csv"}, "table: "+out+": a folder, want a file\n")
	refused(t, []string{"-model", model, out}, "table: "+out+": a folder, want a file\n")
}

func TestWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-target c a.csv b.csv":       `"b.csv": want one file`,
		"-target c -data a.csv b.csv": `"b.csv": -data names a file already`,
		"-target c -holdout 1 a.csv":  "-holdout 1: want a share from 0 to below 1",
		"-epochs 0":                   "-epochs 0: want 1 or more",
		"-patience -1":                "-patience -1: want 0 or more",
		"-decay -1":                   `invalid value "-1" for flag -decay: want auto, or a finite number from 0`,
		"-ensemble 0":                 "-ensemble 0: want 1 to 1000 networks",
		"-ensemble 1001":              "-ensemble 1001: want 1 to 1000 networks",
		"-missing zero":               `invalid value "zero" for flag -missing: want one of keep, mean, refuse`,
		"-weights x":                  `invalid value "x" for flag -weights: want one of balanced, none`,
		"-target a,a x.csv":           `"a" is there twice`,
		"-model m.npz":                "-model: want the file to predict",
		"-target c -":                 "-: what is learnt must be a file, because -verify reads it again",
		"-model m.npz -lr 1 a.csv":    "-model excludes -lr",
		"-model= a.csv":               `invalid value "" for flag -model: the value is empty`,
		"-target= a.csv":              `invalid value "" for flag -target: the value is empty`,
	} {
		refusedWith(t, 2, strings.Fields(args), want)
	}
}

// changed writes a model that a change was made to, and returns its name.
func changed(t *testing.T, name string, change func(m *mlp.Model)) string {
	t.Helper()
	m, err := training.ReadModel(name, training.Table)
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return file(t, "changed.npz", b.String())
}

// A recipe comes from a file, and so its columns are checked before they are used, and those of
// the model too.
func TestTamperedColumns(t *testing.T) {
	model := trained(t)
	data := file(t, "new.csv", string(iris))
	recipe := func(old, new string) func(m *mlp.Model) {
		return func(m *mlp.Model) {
			text := m.Recipe[training.TableKey]
			if m.Recipe[training.TableKey] = strings.Replace(text, old, new, 1); m.Recipe[training.TableKey] == text {
				t.Errorf("%s has no %s", text, old)
			}
		}
	}
	whole := func(text string) func(m *mlp.Model) {
		return func(m *mlp.Model) { m.Recipe[training.TableKey] = text }
	}
	target := func(c mlp.Column) func(m *mlp.Model) {
		return func(m *mlp.Model) { m.Targets = mlp.Columns{c} }
	}
	for want, change := range map[string]func(m *mlp.Model){
		"its columns: unexpected end of JSON input":                                              whole("{"),
		"its columns: there is no input or no target":                                            whole("{}"),
		"its columns: the recipe has \"petal w\" where the model has \"petal width\"":            recipe("petal width", "petal w"),
		"its columns: the recipe has \"petal width (year)\" where the model has \"petal width\"": recipe(`"petal width"`, `"petal width","Kind":"year-month-day","Part":"year"`),
		"its columns: the recipe has 3 inputs and 1 targets, the model 4 and 1":                  recipe(`,{"Name":"petal width"}`, ""),
		"its columns: the recipe has 5 inputs and 1 targets, the model 4 and 1":                  recipe(`"Inputs":[`, `"Inputs":[null,`),
		"its columns: a column has no name, or two have one":                                     recipe(`{"Name":"petal width"}`, "null"),
		"its columns: a column has no name, or two have one\n": func(m *mlp.Model) {
			recipe("petal width", "petal length")(m)
			m.Columns[3].Name = "petal length"
		},
		"its columns: \"species\": its categories are not in order":   target(mlp.Column{Name: "species", Values: []string{"zetosa", "versicolor", "virginica"}}),
		"its columns: \"species\": its categories are not in order\n": target(mlp.Column{Name: "species", Values: []string{"", "versicolor", "virginica"}}),
		"its columns: \"petal width\": \"June\" is no kind of dates": func(m *mlp.Model) {
			recipe(`"petal width"`, `"petal width","Kind":"June"`)(m)
		},
		"its columns: \"petal width\": \"\" is no part of a date": recipe(`"petal width"`, `"petal width","Kind":"year-month-day"`),
		"its columns: \"petal width\": \"June\" is no part of a date": func(m *mlp.Model) {
			recipe(`"petal width"`, `"petal width","Kind":"year-month-day","Part":"June"`)(m)
			m.Columns[3].Name = "petal width (June)"
		},
		"its columns: \"petal width\": \"\" is no kind of dates": func(m *mlp.Model) {
			recipe(`"petal width"`, `"petal width","Part":"year"`)(m)
			m.Columns[3].Name = "petal width (year)"
		},
		"its columns: \"petal width\": it is of two kinds": func(m *mlp.Model) {
			n := m.Columns[3].Width()
			c := mlp.Column{Name: "petal width", Gaps: true, Mean: m.Columns[3].Mean, Std: m.Columns[3].Std}
			for i := range n - 1 {
				c.Values = append(c.Values, string(rune('a'+i)))
			}
			m.Columns[3] = c
		},
		"its columns: \"species\": it is of two kinds":                                       recipe(`"species"`, `"species","Other":true`),
		"its columns: \"petal width\": 0 categories":                                         recipe(`"petal width"`, `"petal width","Other":true`),
		"its columns: json: cannot unmarshal number into Go struct field column.Inputs.Name": recipe(`"petal width"`, `7`),
		"its columns: an earlier version trained it, whose models this one cannot use: train it again\n": func(m *mlp.Model) {
			in := m.Columns.Width()
			m.Columns, m.Input = nil, mlp.Standardization{Mean: make([]float64, in), Std: make([]float64, in)}
		},
		"its recipe has no columns: another command trained it\n": func(m *mlp.Model) { delete(m.Recipe, training.TableKey) },
	} {
		name := changed(t, model, change)
		refused(t, []string{"-model", name, data}, "table: "+name+": "+want)
	}
}

// A table that has changed is no longer that of the run; one that has moved is.
func TestTableChanged(t *testing.T) {
	data := file(t, "abc.csv", abc())
	model := trained(t, "-target", "c", data)
	moved := filepath.Join(t.TempDir(), "moved.csv")
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"-verify", model}, model+": stat "+data+": no such file or directory\n")
	must(t, "-verify", model, moved)
	if err := os.WriteFile(moved, []byte(abc()+"1,2,x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"-verify", model, moved}, model+": the rows of -data differ: SHA-256 ")
}

// -test names the rows to test on, whose columns may be in another order. A class that no
// training row has is named, and its rows count as wrong.
func TestTestFile(t *testing.T) {
	data := file(t, "abc.csv", abc())
	stdout, stderr := must(t, "-out", t.TempDir(), "-target", "c", "-test", file(t, "test.csv", "c,d,b,a\nx,,2,1\ny,,3,2\n"), data)
	if !strings.Contains(stdout, "Test part: 2 rows\n") || !strings.Contains(stderr, "30 rows to train on, 2 to test on") {
		t.Errorf("printed\n%s%s", stdout, stderr)
	}
	test := file(t, "test.csv", "a,b,c\n1,2,x\n1,2,z\n4,3,x\n4,3,z\n")
	stdout, stderr = must(t, "-out", t.TempDir(), "-target", "c", "-importance", "-test", test, data)
	if !strings.Contains(stdout, " (new)  2  0      0   0.000          -  0.000\nAccuracy: 0.5000 (") ||
		!strings.Contains(stderr, "warning: "+test+": in 2 of 4 rows the class is new, and any answer counts as wrong: \"c\" is \"z\" in row 2\n") {
		t.Errorf("printed\n%s%s", stdout, stderr)
	}
	labels := file(t, "labels.csv", "a,b,c\n"+strings.Repeat("1,no,x\n2,yes,y\n", 10))
	refused(t, []string{"-target", "b,c", "-test", test, labels}, "table: "+test+": row 1 (line 2), column \"b\": \"2\" is not a category of the training file\n")
}

// -verify reads the columns of a model as whoever predicts with it does, and compares them.
func TestForgedColumns(t *testing.T) {
	model, numbers := trained(t), trained(t, "-target", "petal width")
	for _, c := range []struct {
		model, want string
		forge       func(m *mlp.Model)
	}{
		{model, "its columns: the recipe has \"sepal length\" where the model has \"sepal width\"", func(m *mlp.Model) { m.Columns[0], m.Columns[1] = m.Columns[1], m.Columns[0] }},
		{model, "not reproduced: edges differs in 1 of 52 elements", func(m *mlp.Model) { m.Columns[0].Edges[len(m.Columns[0].Edges)-1] = 79 }},
		{model, "not reproduced: mean differs in 1 of 50 elements", func(m *mlp.Model) { m.Columns[0].Mean[0] += 1000 }},
		{model, "not reproduced: run.json is ", func(m *mlp.Model) { m.Targets[0].Values[0] = "alpina" }},
		{model, "not reproduced: Recipe table is ", func(m *mlp.Model) {
			m.Recipe[training.TableKey] = strings.Replace(m.Recipe[training.TableKey], `"sepal width"`, `"sepal width","Unit":"cm"`, 1)
		}},
		{numbers, "not reproduced: target_mean differs in 1 of 1 elements", func(m *mlp.Model) { m.Targets[0].Mean[0] += 1000 }},
		{numbers, "not reproduced: target_std differs in 1 of 1 elements", func(m *mlp.Model) { m.Targets[0].Std[0] *= 7 }},
	} {
		forged := changed(t, c.model, c.forge)
		refused(t, []string{"-verify", forged}, "table: "+forged+": "+c.want)
	}
}

// One line says which network's training diverges. As many networks as there may be are trained;
// with more numbers than a file may have they are refused before they are made.
func TestEnsembles(t *testing.T) {
	stderr, code := command(t, context.Background(), io.Discard, "-ensemble", "3", "-lr", "1e300", "-out", t.TempDir())
	want := regexp.MustCompile(`\ntable: network 1: the loss is NaN at epoch 1, batch 2: training has diverged; a smaller -lr or -decay is the usual cure \(no epoch was saved\)\n\z`)
	if code != 1 || !want.MatchString(stderr) {
		t.Errorf("exit code %d, standard error %s", code, stderr)
	}
	refused(t, []string{"-ensemble", "1000", "-hidden", "4096,4096"}, "-ensemble 1000 the model file would have")
	model := trained(t, "-ensemble", "1000", "-hidden", "", "-epochs", "1")
	must(t, "-model", model, file(t, "new.csv", string(iris)))
}

// Many targets are trained, resumed and verified. What the model file cannot hold is refused
// before training.
func TestLongRecipe(t *testing.T) {
	var targets []string
	for i := range 600 {
		targets = append(targets, fmt.Sprintf("target %04d", i))
	}
	names := strings.Join(targets, ",")
	data := file(t, "wide.csv", "in,"+names+"\n"+strings.Repeat("1"+strings.Repeat(",yes", 600)+"\n2"+strings.Repeat(",no", 600)+"\n", 20))
	model := trained(t, "-schedule", "constant", "-target", names, data)
	must(t, "-verify", model)
	must(t, "-resume", model, "-epochs", "2")
	var b strings.Builder
	b.WriteString("in,out\n")
	for i := range 60 {
		fmt.Fprintf(&b, "%s%d,%d\n", strings.Repeat("\\", 26_000), i%20, i%2)
	}
	refused(t, []string{"-target", "out", file(t, "long.csv", b.String())}, "bytes")
}
