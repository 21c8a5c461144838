// The files of digits that are known by the SHA-256 of their content, and what a set of
// digits says of itself. Not here: how the files are read (mnist.go).

package mlp

import "fmt"

// An origin is the place of a file: the data set, the part and the kind of the file.
type origin struct{ set, part, kind string }

func (o origin) String() string { return o.part + "-" + o.kind + " of " + o.set }

// knownFiles has the known files by the SHA-256 of their unpacked content, because the
// same content is found compressed in different ways.
var knownFiles = map[string]origin{
	"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": {"MNIST", "train", "images"},
	"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": {"MNIST", "train", "labels"},
	"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": {"MNIST", "t10k", "images"},
	"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": {"MNIST", "t10k", "labels"},
	"bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": {"Fashion-MNIST", "train", "labels"},
	"0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": {"Fashion-MNIST", "t10k", "labels"},
}

// mayBeKnown reports whether a file of these dimensions can be one of knownFiles.
func mayBeKnown(dims []int) bool {
	n := dims[0] == 60000 || dims[0] == 10000
	return n && (len(dims) == 1 || len(dims) == 3 && dims[1] == 28 && dims[2] == 28)
}

// String says how many images m has and, if their files are known, of which data set they
// are: "4000 images", "60000 images of MNIST", "10000 images, labels of Fashion-MNIST" if
// only the labels are known, or "10000 images of MNIST, unknown labels".
func (m *MNIST) String() string {
	s := fmt.Sprintf("%d images", m.Len())
	if m.imageSet != "" {
		s += " of " + m.imageSet
	}
	switch {
	case m.labelSet == m.imageSet:
		return s
	case m.labelSet == "":
		return s + ", unknown labels"
	}
	return s + ", labels of " + m.labelSet
}
