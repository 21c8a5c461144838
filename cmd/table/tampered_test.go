// Model files of other commands, model files that were changed, and tables that were changed
// since.

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

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

// A recipe comes from a file, and so its columns are checked before they are used.
func TestTamperedColumns(t *testing.T) {
	model := trained(t)
	m, err := training.ReadModel(model, training.Table)
	if err != nil {
		t.Fatal(err)
	}
	good := m.Recipe[training.TableKey]
	data := file(t, "new.csv", string(iris))
	for want, text := range map[string]string{
		"its columns: unexpected end of JSON input":                                          "{",
		"its columns: there is no input or no target":                                        "{}",
		"its columns: a column has no name, or two have one":                                 strings.Replace(good, "petal width", "petal length", 1),
		"its columns make 4 inputs and 1 outputs, the network has 4 and 3":                   strings.Replace(good, `"Values":["setosa","versicolor","virginica"]`, `"Std":2`, 1),
		"its columns: the target \"species\" has the mean 0 and the deviation 0":             strings.Replace(good, `"Values":["setosa","versicolor","virginica"]`, `"Std":0`, 1),
		"its columns: the categories of \"species\" are not in order":                        strings.Replace(good, `"setosa"`, `"zetosa"`, 1),
		"its columns make 4 inputs and 2 outputs, the network has 4 and 3":                   strings.Replace(good, `,"virginica"`, "", 1),
		"its columns make 5 inputs and 3 outputs, the network has 4 and 3":                   strings.Replace(good, `"petal width"`, `"petal width","Values":["a","b"]`, 1),
		"its columns: the target \"species\" has one category":                               strings.Replace(good, `"setosa","versicolor",`, "", 1),
		"its columns: a column has no name, or two have one\n":                               strings.Replace(good, `"Inputs":[`, `"Inputs":[null,`, 1),
		"its columns: json: cannot unmarshal number into Go struct field column.Inputs.Name": strings.Replace(good, `"petal width"`, `7`, 1),
	} {
		if text == good {
			t.Errorf("%s: nothing was changed", want)
		}
		name := changed(t, model, func(m *mlp.Model) { m.Recipe[training.TableKey] = text })
		refused(t, []string{"-model", name, data}, "table: "+name+": "+want)
	}
	other := changed(t, model, func(m *mlp.Model) { delete(m.Recipe, training.TableKey) })
	refused(t, []string{"-model", other, data}, other+": its recipe has no columns: another command trained it\n")
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

// -test names the rows to test on, whose columns may be in another order.
func TestTestFile(t *testing.T) {
	data := file(t, "abc.csv", abc())
	stdout, stderr := must(t, "-out", t.TempDir(), "-target", "c", "-test", file(t, "test.csv", "c,d,b,a\nx,,2,1\ny,,3,2\n"), data)
	if !strings.Contains(stdout, "Test part: 2 rows\n") || !strings.Contains(stderr, "30 rows to train on, 2 to test on") {
		t.Errorf("printed\n%s%s", stdout, stderr)
	}
	test := file(t, "test.csv", "a,b,c\n1,2,x\n1,2,z\n")
	refused(t, []string{"-target", "c", "-test", test, data}, "table: "+test+": row 2 (line 3), column \"c\": \"z\" is not a category of the training file\n")
}

// -verify reads the columns of a model as whoever predicts with it does, and compares them.
func TestForgedColumns(t *testing.T) {
	model, numbers := trained(t), trained(t, "-target", "petal width")
	for _, c := range []struct{ model, old, new string }{
		{model, `"Name":"sepal length"},{"Name":"sepal width"}`, `"Name":"sepal width"},{"Name":"sepal length"}`},
		{model, `"setosa"`, `"alpina"`},
		{numbers, `"Mean":1.`, `"Mean":1001.`},
		{numbers, `"Std":0.`, `"Std":7.`},
	} {
		forged := changed(t, c.model, func(m *mlp.Model) {
			text := m.Recipe[training.TableKey]
			if m.Recipe[training.TableKey] = strings.Replace(text, c.old, c.new, 1); text == m.Recipe[training.TableKey] {
				t.Errorf("%s has no %s", text, c.old)
			}
		})
		refused(t, []string{"-verify", forged}, forged+": not reproduced: Recipe table is ")
	}
	forged := changed(t, model, func(m *mlp.Model) { m.Input.Mean[0] += 1000 })
	refused(t, []string{"-verify", forged}, forged+": not reproduced: mean differs in 1 of 4 elements")
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
	for i := range 980 {
		fmt.Fprintf(&b, "%s%d,%d\n", strings.Repeat("\\", 340), i, i%2)
	}
	refused(t, []string{"-target", "out", file(t, "long.csv", b.String()+strings.TrimPrefix(b.String(), "in,out\n"))}, "bytes")
}
