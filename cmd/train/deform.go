// The flag -deform: the amounts of an mlp.Deformation as text.

package main

import (
	"errors"
	"fmt"
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

func (d *deformation) Set(text string) error {
	*d = deformation{on: true}
	switch text {
	case "none":
		*d = deformation{}
		return nil
	case "usual":
		d.Deformation = mlp.UsualDeformation
		return nil
	}
	d.Smooth = mlp.UsualDeformation.Smooth
	for _, field := range strings.Split(text, ",") {
		if err := d.setAmount(field); err != nil {
			return err
		}
	}
	if err := d.Validate(); err != nil { // it begins with a field, whose name the flag has in small letters
		return errors.New(strings.ToLower(err.Error()[:1]) + err.Error()[1:])
	}
	return nil
}

func (d *deformation) setAmount(text string) (err error) {
	name, number, _ := strings.Cut(text, "=")
	for _, a := range d.amounts() {
		if a.name != name {
			continue
		}
		if *a.value, err = strconv.ParseFloat(number, 64); err != nil {
			return fmt.Errorf("%.60q: want %s=NUMBER", text, name)
		}
		return nil
	}
	return fmt.Errorf("%.60q: want none, usual, or rotation=10,shear=7,scale=0.1,shift=0.5,elastic=0.9,smooth=4", text)
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
