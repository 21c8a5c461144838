// The table of all flags of all commands, which the help prints and which a command cannot
// depart from.

package cli

import (
	"slices"
	"strings"
)

// A row of the table is a flag: its name, what stands behind it, which commands have it,
// what it is about, and what it means. A name has several rows if it must mean something
// else in another command.
type row struct{ name, value, commands, group, meaning string }

// groups are what flags are about, in the order of the help, which has those that matter
// most before.
var groups = []string{"Data", "Network", "Training", "Files"}

const firstGroup = "The flags that matter most"

// A command is what its help says beside the flags: what it does, examples and what they
// are for, and the flags that matter most.
type command struct {
	about    string
	examples [][2]string
	first    []string
}

var commands = map[string]command{
	"train": {
		"Train builds a multi-layer perceptron, trains it on MNIST's digits, and writes the model, its curves and its page. " +
			"Without flags it is the article's run, on the 5,000 digits in the program.",
		[][2]string{
			{"go run ./cmd/train", "learn to read digits, in seconds"},
			{"go run ./cmd/train -best -data DIR", "learn to read all of MNIST as well as this program can"},
			{"go run ./cmd/train -resume out/train/model.npz -epochs 40", "go on with a run"},
		},
		[]string{"best", "data", "hidden", "epochs", "lr"},
	},
	"table": {
		"Table trains a multi-layer perceptron on the rows of a CSV file and says what it does on rows that it has not seen, or predicts with one that it has trained. " +
			"Without flags it learns iris, which is in the program.",
		[][2]string{
			{"go run ./cmd/table -target price houses.csv", "learn a column"},
			{"go run ./cmd/table -model out/table/model.npz new.csv > predicted.csv", "predict it"},
			{"go run ./cmd/table -verify out/table/model.npz", "train again, and compare every bit"},
		},
		[]string{"target", "model", "without", "category", "missing"},
	},
	"predict": {
		"Predict reads the digit in each picture with a network that cmd/train has trained. " +
			"Without pictures it measures the network on MNIST's test digits.",
		[][2]string{
			{"go run ./cmd/predict seven.png photo.jpg", "read the digits in two pictures"},
			{"go run ./cmd/predict -data DIR", "measure the network on the test part of all of MNIST"},
			{"go run ./cmd/predict -report page.html", "write the page of the network"},
		},
		[]string{"model", "data", "json", "report", "save"},
	},
	"vanish": {
		"Vanish measures how the gradient vanishes on its way down a deep network, what cures that, and what data do that depth does not. " +
			"It runs the experiments that are named, depth, article, nielsen, init or data, or all five.",
		[][2]string{
			{"go run ./cmd/vanish", "run all five experiments"},
			{"go run ./cmd/vanish depth init", "run two of them"},
			{"go run ./cmd/vanish -seed 2 article", "begin with other weights"},
		},
		[]string{"data", "out", "seed"},
	},
}

var table = []row{
	{"best", "", "train", "Training", "train the best network that this program knows for MNIST: sets those of the other flags that are not given"},

	{"data", "DIR", "train vanish", "Data", "folder of MNIST's four IDX files, gzipped or not; without it, the digits in the program"},
	{"data", "DIR", "predict", "Data", "folder of MNIST's IDX files, gzipped or not, whose test part measures the network; without it, the digits in the program"},
	{"data", "FILE.csv", "table", "Data", "the table to train on, or with -model to predict, which may be -, standard input; its name may stand without -data; without it, iris"},
	{"limit", "N", "train", "Data", "use only the first N training images; 0 is all"},
	{"holdout", "F", "train", "Data", "hold out this share of the training images, the last ones, to test on; t10k is then not read"},
	{"holdout", "F", "table", "Data", "keep this share of the rows, of each class alike, from all networks, to test on; 0 tests each network on what it holds out"},
	{"deskew", "", "train", "Data", "normalise each digit's position, slant and size, in the training part and in the test part"},
	{"scale", "NAME", "train", "Data", "standardize each pixel by itself (pixel), or all by one mean and deviation (image)"},
	{"deform", "AMOUNTS", "train", "Data", "deform the training images, anew in each epoch: none, usual, or amounts such as rotation=10,shear=7,scale=0.1,shift=0.5,elastic=0.9,smooth=4"},
	{"target", "COLUMN", "table", "Data", "the column to predict, or several with commas between them; for iris it is species"},
	{"without", "COLUMNS", "table", "Data", "leave these columns out"},
	{"category", "COLUMNS", "table", "Data", "take these columns as categories, although they look like numbers"},
	{"missing", "NAME", "table", "Data", "a missing cell: keep takes it as one, refuse as an error"},
	{"weights", "NAME", "table", "Data", "weights of the rows: none, or balanced, so that each class weighs the same"},
	{"test", "FILE.csv", "table", "Data", "test on the rows of this file"},

	{"hidden", "WIDTHS", "train table", "Network", "widths of the hidden layers, with commas between them; empty for none"},
	{"ensemble", "K", "train table", "Network", "how many networks are trained and averaged"},
	{"act", "NAME", "train table", "Network", "activation of the hidden layers: relu, sigmoid, tanh"},
	{"init", "NAME", "train table", "Network", "standard deviation of the first weights: small (0.01), xavier, he, lecun"},
	{"norm", "NAME", "train table", "Network", "normalisation in the hidden layers: none, batch"},
	{"dropout", "P", "train table", "Network", "in each step drop the outputs of hidden units with this probability, and divide the others by 1-P"},
	{"freeze", "N", "train", "Network", "with -load, keep the first N layers as they are in that file"},

	{"epochs", "N", "train", "Training", "how many times all images are used; 0 with -load measures the model and trains nothing"},
	{"epochs", "N", "table", "Training", "how many times all rows are used, at most; fewer if there are more than 20000 rows"},
	{"batch", "N", "train", "Training", "images in a step"},
	{"batch", "N", "table", "Training", "rows in a step; up to 256 if there are many rows"},
	{"lr", "R", "train table", "Training", "learning rate"},
	{"opt", "NAME", "train table", "Training", "optimizer: sgd, momentum, or adam or adamw, for which -lr 0.001 is usual with many images"},
	{"momentum", "B", "train table", "Training", "decay of the running value of -opt momentum; the first decay rate of adam and adamw"},
	{"schedule", "NAME", "train table", "Training", "schedule of the learning rate: constant; step, a tenth from half of the run on and a hundredth from three quarters on; cosine, to zero"},
	{"warmup", "F", "train table", "Training", "over this share of the run raise the learning rate from a twentieth, and take the course of -schedule from then"},
	{"decay", "D", "train", "Training", "L2: add this times the weights to their gradient; with -opt adamw, take this times the learning rate times the weights from the weights instead"},
	{"decay", "D", "table", "Training", "L2, as in cmd/train; auto is 0.1 with adamw, and else 1 divided by the rows to train on and by the targets"},
	{"clip", "C", "train table", "Training", "scale the gradient down to this norm if its norm over all layers is larger; 0 never does"},
	{"patience", "N", "train", "Training", "hold out a tenth of the training images, stop when N epochs have not lowered the loss on it, and keep the best weights; 0 does not"},
	{"patience", "N", "table", "Training", "stop with a network when N epochs have not lowered the loss on the rows that it holds out, and keep the best weights; 0 does not"},
	{"calibrate", "", "train", "Training", "at the end fit a temperature of the logits to the images that -patience holds out, so that probabilities are right as often as they say"},
	{"calibrate", "", "table", "Training", "at the end fit a temperature of the logits to the rows of -holdout or -test, so that probabilities are right as often as they say"},
	{"interval", "P", "table", "Training", "of numbers, find the margin within which the truth is with this probability, from the rows of -holdout or -test; -model then adds two columns, from and to; 0 does not"},
	{"measure", "N", "train", "Training", "measure all training images after each Nth epoch and the last; a terminal then shows the measured epochs only"},
	{"shuffle", "", "train", "Training", "take the images in a new order each epoch; -shuffle=false takes them as the files have them"},
	{"seed", "N", "train table vanish", "Training", "seed of the first weights, of the order of the samples, and of all else that is random"},

	{"out", "DIR", "train table", "Files", "folder for the files, each of which is complete at any moment"},
	{"out", "DIR", "vanish", "Files", "folder for the sheets"},
	{"load", "FILE.npz", "train", "Files", "begin with the weights in this file; with -verify, the new path of the file that the run began with"},
	{"resume", "FILE.npz", "train table", "Files", "go on with the run of this file until it has had -epochs epochs, and write to the file's folder unless -out names another"},
	{"verify", "FILE.npz", "train table", "Files", "train again what is in this file, and compare every bit; nothing is written"},
	{"model", "FILE.npz", "table", "Files", "predict with this model, and train nothing"},
	{"model", "FILE.npz", "predict", "Files", "the network"},
	{"importance", "", "table", "Files", "print how much the loss on the test rows rises when each column is shuffled"},
	{"export", "FILE", "predict table", "Files", "write the model of -model for other programs: as an ONNX graph to FILE.onnx, or as source with one function to FILE.go, FILE.c or FILE.js"},
	{"package", "NAME", "predict table", "Files", "the package of -export FILE.go; model if it is not given"},
	{"report", "FILE.html", "predict", "Files", "write the page of the network, with the test digits, and do not measure it"},
	{"raw", "", "predict", "Data", "take pictures of 28×28 pixels, white on black, as they are"},
	{"json", "", "predict", "Files", "print an object of JSON for each picture, with all ten probabilities"},
	{"save", "DIR", "predict", "Files", "write what the network was shown of each picture to this folder, as PNGs of 28×28 pixels"},
}

// Names returns the names of a command's flags.
func Names(command string) (names []string) {
	for _, r := range rows(command) {
		names = append(names, r.name)
	}
	return names
}

// rows returns the rows of a command.
func rows(command string) (of []row) {
	for _, r := range table {
		if slices.Contains(strings.Fields(r.commands), command) {
			of = append(of, r)
		}
	}
	return of
}
