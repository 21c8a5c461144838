// The flag -best: the recipe that it stands for.

package main

import "math"

// bestFlags are the flags that -best sets, unless they are given. Its -epochs depends on
// how many images there are: see bestEpochs.
var bestFlags = map[string]string{
	"hidden": "256,256", "init": "he", "opt": "adam", "norm": "batch", "batch": "128", "lr": "0.004",
	"warmup": "0.1", "schedule": "cosine", "deskew": "true", "scale": "image", "measure": "10",
	"deform": "rotation=10,shear=7,scale=0.1,shift=0.5,elastic=1.2,smooth=4",
}

// bestEpochs is how many epochs -best trains with n images. The fewer there are, the more
// often each is used, but the shorter is the run.
func bestEpochs(n int) int {
	return int(math.Round(50 * math.Cbrt(60000/float64(n))))
}

// applyBest sets the flags of bestFlags that were not given.
func (o *options) applyBest() {
	given := o.given()
	for name, value := range bestFlags {
		if _, ok := given[name]; !ok {
			o.flags.Lookup(name).Value.Set(value) // a test has set each
		}
	}
}
