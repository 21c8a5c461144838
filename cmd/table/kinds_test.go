// Numbers, dates and times as people write them.

package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumberIn(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		text         string
		point, comma float64
		unit         string
	}{
		{"12", 12, 12, ""}, {"-1.5", -1.5, nan, ""}, {"1.5e3", 1500, nan, ""}, {"1,5", nan, 1.5, ""}, {"-1,5E+03", nan, -1500, ""},
		{"1.234", 1.234, 1234, ""}, {"1,234", 1234, 1.234, ""}, {"0.123", 0.123, nan, ""}, {"0,123", nan, 0.123, ""}, {"1234.567", 1234.567, nan, ""},
		{"1,234.5", 1234.5, nan, ""}, {"1.234,5", nan, 1234.5, ""}, {"1,234,567", 1234567, nan, ""}, {"1.234.567", nan, 1234567, ""},
		{"1 234 567", 1234567, 1234567, ""}, {"1'234.5", 1234.5, nan, ""}, {"1\u202f234,5", nan, 1234.5, ""}, {"12,34", nan, 12.34, ""},
		{"$1,234", 1234, 1.234, "USD"}, {"-$5", -5, -5, "USD"}, {"$-5", -5, -5, "USD"}, {"(5.25)", -5.25, nan, ""}, {"€ 5", 5, 5, "EUR"}, {"12 EUR", 12, 12, "EUR"},
		{"chf 7", 7, 7, "CHF"}, {"−3 °C", -3, -3, "°C"}, {"5%", 5, 5, "%"}, {"12.3 km", 12.3, nan, "km"}, {"5m²", 5, 5, "m²"}, {"9 km/h", 9, 9, "km/h"}, {".5 l", .5, nan, "l"},
		{"1e999", math.Inf(1), math.Inf(1), ""}, {"1st", 1, 1, "st"}, {"7e2 m", 700, 700, "m"}, {"2e", 2, 2, "e"},
		{"", nan, nan, ""}, {"x", nan, nan, ""}, {"type 1", nan, nan, ""}, {"A1", nan, nan, ""}, {"NaN", nan, nan, ""}, {"inf", nan, nan, ""}, {"0x10", 0, 0, "x10"}, {"1_0", nan, nan, ""},
		{"1,23,456", nan, nan, ""}, {"1 23", nan, nan, ""}, {"1,23.5", nan, nan, ""}, {"1.2345,5", nan, nan, ""}, {"1,234 567", nan, nan, ""}, {"0,123.5", nan, nan, ""}, {"12:30", nan, nan, ""}, {"3-5", nan, nan, ""}, {"2024-12-31", nan, nan, ""}, {"$5 EUR", nan, nan, ""},
		{"$", nan, nan, ""}, {"D B 5", nan, nan, ""}, {"--5", nan, nan, ""}, {"1.2.3", nan, nan, ""}, {"5 km \xff", nan, nan, ""}, {"5 " + strings.Repeat("k", 21), nan, nan, ""}, {",", nan, nan, ""}, {"1e", 1, 1, "e"}, {"١", nan, nan, ""},
	} {
		point, comma, unit := numberIn(c.text)
		if got, want := fmt.Sprint(point, comma), fmt.Sprint(c.point, c.comma); got != want || unit != c.unit {
			t.Errorf("%q is %s in %q, want %s in %q", c.text, got, unit, want, c.unit)
		}
	}
}

func TestDates(t *testing.T) {
	for text, want := range map[string]string{ // by the kinds that read it
		"2024-12-31":                           "year-month-day 2024-12-31 00:00:00",
		"2024-1-2":                             "year-month-day 2024-01-02 00:00:00",
		"2024/12/31 23:59":                     "year-month-day 2024-12-31 23:59:00",
		"2024-12-31T01:02:03.5+02:00":          "year-month-day 2024-12-31 01:02:03",
		"2024-12-31T01:02:03Z":                 "year-month-day 2024-12-31 01:02:03",
		"2024-12-31 1:02:03 PM":                "year-month-day 2024-12-31 13:02:03",
		"31.12.2024":                           "day-month-year 2024-12-31 00:00:00",
		"12/31/2024":                           "month-day-year 2024-12-31 00:00:00",
		"31/12/2024":                           "day-month-year 2024-12-31 00:00:00",
		"1/2/2024":                             "month-day-year 2024-01-02 00:00:00 day-month-year 2024-02-01 00:00:00",
		"1.2.2024":                             "day-month-year 2024-02-01 00:00:00",
		"31-Dec-2024":                          "day-name-year 2024-12-31 00:00:00",
		"31-DEC-2024 08:00":                    "day-name-year 2024-12-31 08:00:00",
		"9:05":                                 "time 0000-01-01 09:05:00",
		"31.02.2024":                           "",
		"2023-02-29":                           "",
		"2024-13-01":                           "",
		"2024-12-31T":                          "",
		"2024-12-31 25:00":                     "",
		"31.12.24":                             "",
		"20241231":                             "",
		"12345.6789":                           "",
		"2024-12-31" + strings.Repeat(" ", 99): "",
		"24:00":                                "",
		"1:2":                                  "",
	} {
		var got []string
		for _, k := range kinds {
			if of, ok := k.read(text); ok {
				got = append(got, k.name, of.Format(time.DateTime))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	of, _ := kinds[0].read("2024-12-31T18:45:00") // a Tuesday
	for i, want := range []float64{20088, 2024, 12, 1, 18.75} {
		if got := dateParts[i].of(of); got != want {
			t.Errorf("%s is %v, want %v", dateParts[i].name, got, want)
		}
	}
	if before, _ := kinds[0].read("1969-12-31 12:00"); dateParts[0].of(before) != -1 {
		t.Errorf("noon of the day before 1970 is day %v", dateParts[0].of(before))
	}
}
