// What columns are taken as, and what a row becomes.

package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlp"
)

// tableFrom reads a table with the target y, and returns also what was printed.
func tableFrom(t *testing.T, text string, flags ...string) (*table, string) {
	t.Helper()
	j, err := parse(append(flags, "-target", "y", "F"))
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	table, err := j.tableOf(context.Background(), sourceOf(strings.NewReader(text), len(text)), &stderr)
	if err != nil {
		t.Fatalf("%.200q: %v", text, err)
	}
	return table, stderr.String()
}

// cellsOf repeats cells of a column, each beside a target of numbers, and a column z that is there
// so that the first may be left out.
func cellsOf(separator string, times int, cells ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "x%sz%sy\n", separator, separator)
	for i := range times * len(cells) {
		fmt.Fprintf(&b, "%s%s%d%s%d\n", cells[i%len(cells)], separator, i%7, separator, i%13)
	}
	return b.String()
}

// different returns cells that all differ.
func different(n int, format string) (cells []string) {
	for i := range n {
		cells = append(cells, fmt.Sprintf(format, i))
	}
	return cells
}

func TestTakenAs(t *testing.T) {
	quoted := func(cells ...string) (all []string) {
		for _, c := range cells {
			all = append(all, `"`+c+`"`)
		}
		return all
	}
	for _, c := range []struct {
		text, flags, want string // what is printed of the column x
	}{
		{cellsOf(",", 9, "1", "2.5"), "", "x: number, 18 cells from 1 to 2.5"},
		{cellsOf(",", 9, "1", "", "NA", "-", "3"), "", "x: number, 18 cells from 1 to 3, 27 missing"},
		{cellsOf(",", 9, "0", "1"), "", "x: yes/no, 18 cells from 0 to 1"},
		{cellsOf(",", 9, "Yes", "no", ""), "", "x: yes/no, 18 cells: Yes 9, no 9, 9 missing"},
		{cellsOf(",", 9, "red", "blue", "red"), "", "x: category, 27 cells: red 18, blue 9"},
		{cellsOf(",", 9, "1", "2"), "-category x", "x: category, 18 cells: 1 9, 2 9"},
		{cellsOf(",", 9, quoted("$1,234", "$17.50", "99")...), "", "x: number in USD, 27 cells from 17.5 to 1234"},
		{cellsOf(",", 9, quoted("1.234,5", "12")...), "", "x: number with a decimal comma, 18 cells from 12 to 1234.5"},
		{cellsOf(",", 9, quoted("1,234", "999")...), "", "x: number, 18 cells from 999 to 1234"},
		{cellsOf(";", 9, "1,234", "999"), "", "x: number with a decimal comma, 18 cells from 1.234 to 999"},
		{cellsOf(";", 9, "1.234", "999"), "", "x: number, 18 cells from 1.234 to 999"},
		{cellsOf("\t", 9, "1,5", "2,25"), "", "x: number with a decimal comma, 18 cells from 1.5 to 2.25"},
		{strings.ReplaceAll(cellsOf("\t", 9, "1,234", "12,345"), "\t6\t", "\t0,5\t"), "", "x: number with a decimal comma, 18 cells from 1.234 to 12.345"}, // as z
		{cellsOf(",", 9, "12 km", "3.5 km", "7"), "", "x: number in km, 27 cells from 3.5 to 12"},
		{cellsOf(",", 9, "5%", "12.5 %"), "", "x: number in %, 18 cells from 5 to 12.5"},
		{cellsOf(",", 9, "1st", "2nd", "3rd"), "", "x: category, 27 cells: 1st 9, 2nd 9, 3rd 9"},
		{cellsOf(",", 9, "2 km", "2 m", "3 m"), "", "x: category, 27 cells: 2 km 9, 2 m 9, 3 m 9"},
		{cellsOf(",", 99, "1", "2", "3", "4") + "two,0,1\n", "", "x: number, 396 cells from 1 to 4, 1 missing"},
		{cellsOf(",", 9, "2023-12-30", "2024-01-02"), "", "x: date, 18 cells from 2023-12-30 to 2024-01-02"},
		{cellsOf(",", 9, "31.12.2023", "01.01.2024", ""), "", "x: date, the day before the month, 18 cells from 2023-12-31 to 2024-01-01, 9 missing"},
		{cellsOf(",", 9, "1/2/2024", "1/31/2024"), "", "x: date, the month before the day, 18 cells from 2024-01-02 to 2024-01-31"},
		{cellsOf(",", 9, "1/2/2024", "31/1/2024"), "", "x: date, the day before the month, 18 cells from 2024-01-31 to 2024-02-01"},
		{cellsOf(",", 9, "9:30", "18:00"), "", "x: time of day, 18 cells from 9.5 to 18"},
		{cellsOf(",", 9, "", "NA"), "", "x (left out): it has no values"},
		{cellsOf(",", 9, "7"), "", `x (left out): it is always "7"`},
		{cellsOf(",", 9, "red"), "", `x (left out): it is always "red"`},
		{cellsOf(",", 1, different(50, "name %d")...), "", "x (left out): it has 50 different texts in 50 rows, such as \"name 0\" and \"name 1\""},
		{cellsOf(",", 2, different(50, "name %d")...), "", "x (left out): it has 50 different texts in 100 rows, such as \"name 0\" and \"name 1\""},
		{cellsOf(",", 1, append(different(25, "%d.5 km"), different(25, "%d0 m")...)...), "", `x (left out): it has 50 different texts in 50 rows, such as "0.5 km" and "00 m"`},
		{cellsOf(",", 1, different(50, "%d")...), "", "x (left out): it numbers the rows"},
		{cellsOf(",", 1, different(9, "%d")...), "", "x: number, 9 cells from 0 to 8"},
		{cellsOf(",", 1, different(150, "1%03d")...), "", "x (left out): it numbers the rows"},
		{cellsOf(",", 1, different(50, "20%02d")...), "", "x: number, 50 cells from 2000 to 2049"},
		{cellsOf(",", 10, append(different(21, "name %d"), different(19, "name %d")...)...) + "rare,1,1\nother,1,1\n", "",
			"x: category, 402 cells of 23 values, 2 of them rare and taken as one"},
	} {
		_, stderr := tableFrom(t, c.text, strings.Fields(c.flags)...)
		if !strings.Contains(stderr, "\ncolumn "+c.want+"\n") {
			t.Errorf("%.60q: want %q, printed\n%s", c.text, c.want, stderr)
		}
	}
}

// encoded returns the encoding as whoever reads a model file has it.
func encoded(t *testing.T, e *encoding) *encoding {
	t.Helper()
	text, err := e.text()
	if err != nil {
		t.Fatal(err)
	}
	read, err := parseEncoding(text, &mlp.Model{Columns: fitted(e.Inputs), Targets: fitted(e.Targets)})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// decoded returns the inputs of the rows of a file to predict, the message of an error behind
// them, and the warnings.
func decoded(t *testing.T, e *encoding, text string) (cells string, warnings string) {
	t.Helper()
	var stderr, b bytes.Buffer
	d := &decoder{warnings: &stderr}
	err := d.open(context.Background(), sourceOf(strings.NewReader(text), len(text)), e, e.Inputs)
	if err == nil {
		err = d.all(func(_ []string, cells []float64) error {
			fmt.Fprintln(&b, strings.Trim(fmt.Sprint(cells), "[]"))
			return nil
		})
	}
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String(), stderr.String()
}

// What a column of the training file was is kept, and new files are read by it. They may write
// their cells otherwise if that can mean only one thing.
func TestDecoded(t *testing.T) {
	for _, c := range []struct{ train, predict, want string }{
		{cellsOf(",", 9, "1", "2.5"), "x,z\n2,0\n\"1,5\",0\n?,0\n1 234,0\n", "2 0\n1.5 0\nNaN 0\n1234 0\n"},
		{cellsOf(",", 9, "\"$1,234\"", "$5"), "x;z\n2;0\n€2;0\nUSD 2;0\n$1,234;0\n1.234.5;0\n", "2 0\nNaN 0\n2 0\n1234 0\nNaN 0\n"},
		{cellsOf("\t", 9, "1,5", "2"), "x,z\n2.5,0\n\"2,5\",0\n\"1,234\",0\n1.234,0\n\"1.234,5\",0\n", "2.5 0\n2.5 0\n1.234 0\nNaN 0\n1234.5 0\n"},
		{cellsOf(",", 9, "5%", "7%"), "x,z\n6 %,0\n0.06,0\n", "6 0\nNaN 0\n"},
		{cellsOf(",", 9, "12 km", "7 km"), "x,z\n6,0\n6 km,0\n6 m,0\n", "6 0\n6 0\nNaN 0\n"},
		{cellsOf(",", 9, "red", "blue", ""), "x,z\nred,0\n,0\nmauve,0\nNA,0\n", "2 0\n0 0\nNaN 0\n0 0\n"},
		{cellsOf(",", 9, "red", "blue"), "x,z\nred,0\n,0\n", "1 0\nNaN 0\n"},
		{cellsOf(",", 9, "2023-12-30", "2024-01-02"), "x,z\n2024-01-01,0\n2024/1/1 10:00,0\n1.1.2024,0\n,0\n",
			"19723 2024 1 0 0\n19723 2024 1 0 0\nNaN NaN NaN NaN 0\nNaN NaN NaN NaN 0\n"},
		{cellsOf(",", 9, "31.12.2023", "16.01.2023"), "x,z\n1.1.2023,0\n2023-01-02 12:00,0\n3-Jan-2023,0\n1/13/2023,0\n",
			"19358 1 6 0\n19359 1 0 0\n19360 1 1 0\nNaN NaN NaN 0\n"},
		{cellsOf(",", 9, "2024-01-01 10:30", "2024-01-02 09:00"), "x,z\n2024-01-01,0\n2024-01-03T09:45Z,0\n", "19723 0 0 0\n19725 2 9.75 0\n"},
		{cellsOf(",", 9, "9:30", "18:00"), "x,z\n8:15,0\n6:00 PM,0\n", "8.25 0\n18 0\n"},
		{cellsOf(",", 99, "1", "2", "3", "4") + "two,0,1\n", "x,z\n" + strings.Repeat("2,0\na,0\n", 4), "2 0\nNaN 0\n2 0\nNaN 0\n2 0\nNaN 0\n2 0\n" +
			"F: row 8 (line 9), column \"x\": \"a\" is not a number\n"},
	} {
		trained, _ := tableFrom(t, c.train)
		if got, _ := decoded(t, encoded(t, trained.encoding), c.predict); got != c.want {
			t.Errorf("%.60q, then %q: decoded %q, want %q", c.train, c.predict, got, c.want)
		}
	}
	trained, _ := tableFrom(t, cellsOf(",", 10, append(different(21, "name %d"), different(19, "name %d")...)...)+"rare,1,1\nother,1,1\n")
	c := encoded(t, trained.encoding).Inputs[0]
	if n := len(c.Values); n != 22 || !c.Other || c.Values[n-1] != "(other)" {
		t.Errorf("the categories are %q", c.Values)
	}
	if got, _ := decoded(t, trained.encoding, "x,z\nname 0,0\nother,0\nrare,0\nnew,0\n"); got != "0 0\n21 0\n21 0\n21 0\n" {
		t.Errorf("rare and new categories are %q", got)
	}
}

// What a person should look at is a warning.
func TestWarnings(t *testing.T) {
	for text, want := range map[string]string{
		cellsOf(",", 9, "1/2/2024", "3/4/2024"):        `warning: column "x": "1/2/2024" may be a date, the day before the month, and is taken as a date, the month before the day`,
		cellsOf(",", 9, "1", "2") + "two,1,1\n":        `warning: F: row 19 (line 20), column "x": "two" is not a number, and is taken as missing`,
		cellsOf(",", 9, "1", "2") + "1,1,two\n":        `rows without a target: 1, left out`,
		cellsOf(",", 9, "1", "2") + "1,1,NA\n":         `rows without a target: 1, left out`,
		"x,y\n" + strings.Repeat("1,1\n2,2\n5,3\n", 9): `warning: the target "y" is taken as a number; if its 3 values are classes, take -category 'y'`,
		"x,y\n" + strings.Repeat("1,1\n2,2\n5,?\n", 9): `rows without a target: 9, left out`,
		"x," + manyNames(50) + "y\n" + strings.Repeat("1,"+strings.Repeat("2,", 50)+"u\n2,"+strings.Repeat("3,", 50)+"v\n", 9): `and 12 columns more`,
		"x,\"a\x1b\nb\",y\n" + strings.Repeat("1,\u009b,2\n2,b,3\n", 9):                                                        `column a\x1b\nb: category, 18 cells: b 9, \u009b 9`,
	} {
		if _, stderr := tableFrom(t, text); !strings.Contains(stderr, want+"\n") {
			t.Errorf("%.60q: want %q, printed\n%s", text, want, stderr)
		}
	}
}

// The tables whose numbers were taken as texts or wrongly: a network finds the number that
// depends on them, in new files too.
func TestPeople(t *testing.T) {
	var prices, tabs strings.Builder
	prices.WriteString("id,price,way,sold,note,y\n")
	tabs.WriteString("a\tb\ty\n")
	for i := range 400 {
		price, way, day := 500+7*(i*37%400), i*53%311, i*29%365
		fmt.Fprintf(&prices, "%d,\"$%d,%03d\",%d.%d km,%s,n%d,%d\n", i+1, price/1000, price%1000, way/10, way%10,
			time.Date(2023, 1, 1+day, 0, 0, 0, 0, time.UTC).Format("02.01.2006"), i, price+5*way+4*day)
		fmt.Fprintf(&tabs, "%d,%d\t1,%04d\t%d,5\n", way/10, way%10, price, way+price)
	}
	for name, text := range map[string]string{"prices": prices.String(), "tabs": tabs.String()} {
		text = strings.ReplaceAll(text, "$0,", "$")
		data := file(t, name+".csv", text)
		out := t.TempDir()
		stdout, stderr := must(t, "-target", "y", "-epochs", "20", "-ensemble", "2", "-importance", "-out", out, data)
		r2 := 0.0
		if fmt.Sscanf(stdout[strings.Index(stdout, "y: R² ")+len("y: R² "):], "%f", &r2); r2 < 0.98 {
			t.Errorf("%s: printed\n%s%s", name, stdout, stderr)
		}
		if name == "prices" && !strings.Contains(stdout, "  sold (days)\n") {
			t.Errorf("the importance of dates is not printed:\n%s", stdout)
		}
		must(t, "-model", filepath.Join(out, "model.npz"), data)
		must(t, "-verify", filepath.Join(out, "model.npz"))
	}
}
