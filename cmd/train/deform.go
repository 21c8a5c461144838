// The flag -deform: the amounts of an mlp.Deformation as text.

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mlp"
)

// deformation is the flag -deform: none, usual, or amounts by name with commas between
// them. An amount that is missing is 0.
type deformation struct {
	mlp.Deformation
	on bool
}

// An amount is one of the numbers of a deformation.
type amount struct {
	name  string
	value *float64
}

func (d *deformation) amounts() []amount {
	return []amount{{"rotation", &d.Rotation}, {"shear", &d.Shear}, {"scale", &d.Scale}, {"shift", &d.Shift},
		{"elastic", &d.Elastic}, {"smooth", &d.Smooth}}
}

func (d *deformation) Set(text string) (err error) {
	*d = deformation{}
	if d.on = text != "none"; !d.on {
		return nil
	}
	if text == "usual" {
		d.Deformation = mlp.UsualDeformation
		return nil
	}
	d.Smooth = mlp.UsualDeformation.Smooth
	amounts := d.amounts()
	for _, field := range strings.Split(text, ",") {
		name, number, _ := strings.Cut(field, "=")
		i := slices.IndexFunc(amounts, func(a amount) bool { return a.name == name })
		if i < 0 {
			return fmt.Errorf("%.60q: want none, usual, or rotation=10,shear=7,scale=0.1,shift=0.5,elastic=0.9,smooth=4", field)
		}
		if *amounts[i].value, err = strconv.ParseFloat(number, 64); err != nil {
			return fmt.Errorf("%.60q: want %s=NUMBER", field, name)
		}
	}
	return d.Validate()
}

func (d *deformation) String() string {
	if !d.on {
		return "none"
	}
	var all []string
	for _, a := range d.amounts() {
		all = append(all, a.name+"="+strconv.FormatFloat(*a.value, 'g', -1, 64))
	}
	return strings.Join(all, ",")
}
