// How people write numbers, dates and times, and how they are read.

package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A kind is a way to write dates or times, which a whole column keeps to. Numbers are not
// among them, because their decimal mark and their unit are the column's.
type kind struct {
	name  string // in the encoding
	what  string // in messages
	parts []datePart
	read  func(text string) (t time.Time, ok bool)
}

// A datePart is a number that a date or a time becomes.
type datePart struct {
	name string // empty if there is no other part
	of   func(t time.Time) float64
}

const kindsOfDates = 5

// kinds are the kinds of dates and times. If two read a column equally well, it is of the first.
var kinds = [kindsOfDates]kind{
	{"year-month-day", "date", dateParts, dates("2006-1-2", "/.")},
	{"month-day-year", "date, the month before the day", dateParts, dates("1-2-2006", "/")},
	{"day-month-year", "date, the day before the month", dateParts, dates("2-1-2006", "/.")},
	{"day-name-year", "date", dateParts, dates("2-Jan-2006", "/.")},
	{"time", "time of day", []datePart{{"", hour}}, clock},
}

// dateParts begins with the part that varies if any does. Days count from 1970: what is fitted
// to them subtracts their mean.
var dateParts = []datePart{
	{"days", func(t time.Time) float64 { return math.Floor(float64(t.Unix()) / 86400) }},
	{"year", func(t time.Time) float64 { return float64(t.Year()) }},
	{"month", func(t time.Time) float64 { return float64(t.Month()) }},
	{"day of the week", func(t time.Time) float64 { return float64((t.Weekday() + 6) % 7) }}, // Monday is 0
	{"hour", hour},
}

func hour(t time.Time) float64 { return float64(seconds(t)) / 3600 }

// seconds returns the seconds since midnight.
func seconds(t time.Time) int { return t.Hour()*3600 + t.Minute()*60 + t.Second() }

// certainDate reads a date that only one kind can be.
func certainDate(text string) (t time.Time, ok bool) {
	for _, k := range kinds {
		if t, ok = k.read(text); ok && (k.name == "year-month-day" || k.name == "day-name-year") {
			return t, true
		}
	}
	return t, false
}

// dates returns a reader of dates in a layout with hyphens, in whose place there may be one of
// others. A time of day may follow behind a space or a T. Its zone is not heeded: a person
// means the hour that is written.
func dates(layout, others string) func(text string) (time.Time, bool) {
	hyphen := func(r rune) rune {
		if strings.ContainsRune(others, r) {
			return '-'
		}
		return r
	}
	return func(text string) (t time.Time, ok bool) {
		const least, most = len("1-2-2006"), 40
		if len(text) < least || len(text) > most || !strings.ContainsAny(text, "-/.") {
			return t, false
		}
		day, rest := text, ""
		if i := strings.IndexAny(text[least:], "T "); i >= 0 {
			day, rest = text[:least+i], text[least+i+1:]
		}
		t, err := time.Parse(layout, strings.Map(hyphen, day))
		if err != nil || rest == "" {
			return t, err == nil && day == text
		}
		of, ok := clock(strings.TrimSpace(rest))
		return t.Add(time.Duration(seconds(of)) * time.Second), ok
	}
}

// clock reads a time of day.
func clock(text string) (t time.Time, ok bool) {
	if len(text) < len("1:02") || text[1] != ':' && text[2] != ':' {
		return t, false
	}
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05Z07:00", "15:04:05Z0700", "15:04Z07:00", "15:04:05 UTC", "3:04 PM", "3:04:05 PM"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return t, false
}

// isGap reports whether a cell says that there is nothing. In a column of categories the last
// two are some.
func isGap(text string, category bool) bool {
	if len(text) > len("none") {
		return false
	}
	switch strings.ToLower(text) {
	case "", "na", "n/a", "#n/a", "nan", "null", "?":
		return true
	case "none", "-":
		return !category
	}
	return false
}

// number returns the number that a text is as computers write it. One that is too large is
// infinite.
func number(text string) (v float64, ok bool) {
	for _, b := range []byte(text) {
		if (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// numberIn returns the number and the unit in a text such as -$1,234.50, 12,3 km or 5 %: the
// number if the point is the decimal mark, and if the comma is. NaN is none.
func numberIn(text string) (point, comma float64, unit string) {
	v, ok := number(text)
	if !ok {
		digits, unit := quantity(text)
		return decimal(digits, '.'), decimal(digits, ','), unit
	}
	switch i := strings.IndexByte(text, '.'); {
	case i < 0:
		return v, v, ""
	case len(text)-i != len(".000"): // no thousands
		return v, math.NaN(), ""
	}
	return v, decimal(text, ','), ""
}

// quantity divides a text into its number and its unit, before or behind. The number is empty
// if there is none.
func quantity(text string) (digits, unit string) {
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' }
	inside := func(r rune) bool { return isDigit(r) || strings.ContainsRune(".,'’ \u00a0\u202f", r) }
	sign := ""
	if inner, ok := strings.CutPrefix(text, "("); ok && strings.HasSuffix(text, ")") { // of accountants
		sign, text = "-", inner[:len(inner)-1]
	}
	at := strings.IndexFunc(text, isDigit)
	if at < 0 {
		return "", ""
	}
	if at > 0 && (text[at-1] == '.' || text[at-1] == ',') {
		at--
	}
	before, rest := text[:at], text[at:]
	for _, minus := range []string{"-", "−", "+"} {
		if without := strings.Replace(before, minus, "", 1); without != before && sign == "" {
			before, sign = without, strings.Replace(minus, "−", "-", 1)
		}
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !inside(r) })
	if end < 0 {
		end = len(rest)
	}
	digits = strings.TrimRightFunc(rest[:end], func(r rune) bool { return !isDigit(r) })
	rest = rest[len(digits):]
	if exponent := len(rest) - len(strings.TrimLeft(strings.TrimLeft(rest, "eE"), "+-")); exponent > 0 {
		if n := len(strings.TrimLeftFunc(rest[exponent:], isDigit)); n < len(rest)-exponent {
			digits, rest = digits+rest[:len(rest)-n], rest[len(rest)-n:]
		}
	}
	before, rest = strings.TrimSpace(before), strings.TrimSpace(rest)
	switch code, ok := currency(before); {
	case before == "" && (rest == "" || isUnit(rest)):
		if code, ok := currency(rest); ok {
			rest = code
		}
		return sign + digits, rest
	case ok && rest == "":
		return sign + digits, code
	}
	return "", ""
}

// codes are those of ISO 4217 that stand before or behind numbers most often.
const codes = " AUD BRL CAD CHF CNY CZK DKK EUR GBP HUF INR JPY KRW MXN NOK PLN RUB SEK TRY USD ZAR "

// currency returns the code of a currency that is written by its code or its sign, or a sign
// that more than one has.
func currency(text string) (code string, ok bool) {
	switch text {
	case "$", "US$":
		return "USD", true
	case "€":
		return "EUR", true
	case "£":
		return "GBP", true
	}
	if upper := strings.ToUpper(text); len(text) == 3 && strings.Contains(codes, " "+upper+" ") {
		return upper, true
	}
	r, n := utf8.DecodeRuneInString(text)
	return text, n > 0 && n == len(text) && unicode.Is(unicode.Sc, r)
}

// percent is the unit without which a number is another one.
const percent = "%"

// isUnit reports whether a text may stand behind a number as its unit.
func isUnit(text string) bool {
	for i, r := range text {
		inside := unicode.IsLetter(r) || unicode.Is(unicode.Sc, r) || strings.ContainsRune("%‰°\"", r)
		if !inside && (i == 0 || !unicode.IsNumber(r) && !strings.ContainsRune(" /.^·-", r)) {
			return false
		}
	}
	return len(text) <= 20 && utf8.ValidString(text)
}

// decimal returns the number that digits with this decimal mark are. Before it there may be
// separators, all alike, each before three digits.
func decimal(digits string, mark rune) float64 {
	plain := make([]byte, 0, 32)
	var group rune
	run, isFraction := 0, false // digits since the last separator
	for i, r := range digits {
		switch {
		case '0' <= r && r <= '9':
			plain = append(plain, byte(r))
			run++
		case i == 0 && (r == '-' || r == '+'):
			plain = append(plain, byte(r))
		case r == 'e' || r == 'E':
			v, ok := number(string(append(plain, digits[i:]...)))
			if !ok || group != 0 && !isFraction {
				return math.NaN()
			}
			return v
		case r == mark && !isFraction && (group == 0 || run == 3):
			plain = append(plain, '.')
			isFraction = true
		case r != mark && !isFraction && (group == 0 && 1 <= run && run <= 3 || r == group && run == 3):
			group, run = r, 0
		default:
			return math.NaN()
		}
	}
	v, ok := number(string(plain))
	if !ok || group != 0 && (!isFraction && run != 3 || strings.TrimLeft(string(plain), "+-")[0] == '0') {
		return math.NaN()
	}
	return v
}
