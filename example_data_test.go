// Examples of one's own data: a table, numbers, a server, labels, augmentation, and what an
// output depends on.

package mlp_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"

	"mlp"
)

// Every fifth of R. A. Fisher's irises (1936).
const irises = `sepal length,sepal width,petal length,petal width,species
5.1,3.5,1.4,0.2,setosa
5.4,3.9,1.7,0.4,setosa
5.4,3.7,1.5,0.2,setosa
5.7,4.4,1.5,0.4,setosa
5.4,3.4,1.7,0.2,setosa
5.0,3.0,1.6,0.2,setosa
4.8,3.1,1.6,0.2,setosa
5.0,3.2,1.2,0.2,setosa
5.0,3.5,1.3,0.3,setosa
4.8,3.0,1.4,0.3,setosa
7.0,3.2,4.7,1.4,versicolor
5.7,2.8,4.5,1.3,versicolor
5.0,2.0,3.5,1.0,versicolor
6.7,3.1,4.4,1.4,versicolor
5.9,3.2,4.8,1.8,versicolor
6.6,3.0,4.4,1.4,versicolor
5.5,2.4,3.8,1.1,versicolor
6.0,3.4,4.5,1.6,versicolor
5.5,2.6,4.4,1.2,versicolor
5.7,3.0,4.2,1.2,versicolor
6.3,3.3,6.0,2.5,virginica
7.6,3.0,6.6,2.1,virginica
6.5,3.2,5.1,2.0,virginica
6.4,3.2,5.3,2.3,virginica
6.9,3.2,5.7,2.3,virginica
7.2,3.2,6.0,1.8,virginica
7.4,2.8,6.1,1.9,virginica
7.7,3.0,6.1,2.3,virginica
6.7,3.1,5.6,2.4,virginica
6.7,3.0,5.2,2.3,virginica
`

// A table from a CSV file. The model takes raw rows.
func Example_iris() {
	records, err := csv.NewReader(strings.NewReader(irises)).ReadAll()
	if err != nil {
		panic(err)
	}
	records = records[1:] // without the header
	species := []string{"setosa", "versicolor", "virginica"}
	x, classes := mlp.NewMatrix(len(records), 4), make([]int, len(records))
	for i, record := range records {
		for j := range 4 {
			if x.Row(i)[j], err = strconv.ParseFloat(record[j], 64); err != nil {
				panic(err)
			}
		}
		classes[i] = slices.Index(species, record[4])
	}
	train, test := mlp.Samples{X: x, Y: mlp.OneHot(classes, 3)}.Split(0.3, 1)

	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 4, 16, 3)
	m, err := mlp.Fit(context.Background(), net, train, mlp.Config{Optimizer: mlp.Adam, Rate: 0.01, Epochs: 100, Batch: 7})
	if err != nil {
		panic(err)
	}
	var p mlp.Matrix
	m.Predict(&p, test.X).Softmax()
	fmt.Printf("accuracy on %d flowers %.2f\n", test.Len(), mlp.Accuracy.Of(&p, test.Y))
	for i := range 2 {
		fmt.Printf("%v: %s\n", test.X.Row(i), species[mlp.Argmax(p.Row(i))])
	}
	// Output:
	// accuracy on 9 flowers 1.00
	// [4.8 3.1 1.6 0.2]: setosa
	// [6.9 3.2 5.7 2.3]: virginica
}

// An ensemble learns the rents of flats from their city and their size, which is missing in some
// rows. Each network holds out another quarter of the rows to decide when to stop.
func ExampleModel_Train() {
	var sizes, cities, rents, rows []float64
	for i, x := range random(200).Data {
		size, city := 70+float64(25*x), float64(i%2)
		if rents = append(rents, size*(10+5*city)); i%9 == 0 {
			size = math.NaN()
		}
		sizes, cities, rows = append(sizes, size), append(cities, city), append(rows, size, city)
	}
	size, err1 := mlp.FitColumn("size", nil, sizes, 8)
	city, err2 := mlp.FitColumn("city", []string{"Bonn", "Ulm"}, cities, 0)
	rent, err3 := mlp.FitColumn("rent", nil, rents, 0)
	if err := cmp.Or(err1, err2, err3); err != nil {
		panic(err)
	}
	m := mlp.Model{Columns: mlp.Columns{size, city}, Targets: mlp.Columns{rent}}
	data := mlp.Samples{X: m.Columns.Apply(new(mlp.Matrix), mlp.NewMatrix(400, 2, rows...)), Y: m.Targets.Apply(new(mlp.Matrix), mlp.NewMatrix(400, 1, rents...))}
	m.Net = mlp.NewNetwork(1, mlp.He, mlp.ReLU, m.Columns.Width(), 16, 1)
	for i := range 3 {
		m.Others = append(m.Others, mlp.Member{Net: mlp.NewNetwork(mlp.MemberSeed(1, i+1), mlp.He, mlp.ReLU, m.Columns.Width(), 16, 1)})
	}
	err := m.Train(context.Background(), mlp.Config{
		Loss: m.Task().Loss(), Optimizer: mlp.Adam, Rate: 0.01, Epochs: 60, Batch: 20, Patience: 10, Seed: 1,
	}, func(i int, c *mlp.Config) (mlp.Dataset, error) {
		train, held := data.Split(0.25, c.Seed)
		c.Validation = held
		return train, nil
	})
	if err != nil {
		panic(err)
	}
	y := m.Predict(new(mlp.Matrix), mlp.NewMatrix(3, 2, 60, 0, 60, 1, math.NaN(), 1)).Data
	fmt.Printf("60 m² in Bonn %.0f, in Ulm %.0f; a flat that does not say its size, in Ulm, %.0f\n", y[0], y[1], y[2])
	_, r2 := m.Evaluate(data, mlp.RSquared)
	fmt.Printf("%d inputs of a size, %d of a city; %d epochs; R² %.2f; SHA-256 %.4s…\n", size.Width(), city.Width(), len(m.History()), r2, m.Fingerprint())
	// Output:
	// 60 m² in Bonn 603, in Ulm 910; a flat that does not say its size, in Ulm, 1142
	// 10 inputs of a size, 2 of a city; 52 epochs; R² 0.93; SHA-256 9517…
}

// random returns numbers from -2 to 2 in n rows of two columns.
func random(n int) *mlp.Matrix {
	x, rng := mlp.NewMatrix(n, 2), rand.New(rand.NewPCG(1, 1))
	for i := range x.Data {
		x.Data[i] = 4*rng.Float64() - 2
	}
	return x
}

// Numbers in units of their own: the model answers in those of the targets.
func ExampleFit() {
	data := mlp.Samples{X: random(400), Y: mlp.NewMatrix(400, 1)}
	for i := range data.Y.Data {
		x := data.X.Row(i)
		data.Y.Data[i] = 100_000 + 10_000*(x[0]*x[0]-x[0]*x[1])
	}
	train, test := data.Split(0.25, 1)
	m, err := mlp.Fit(context.Background(), mlp.NewNetwork(1, mlp.He, mlp.Tanh, 2, 32, 1), train, mlp.Config{
		Loss: mlp.SquaredError, Optimizer: mlp.Adam, Rate: 0.01, Schedule: mlp.Cosine, Epochs: 100, Batch: 20})
	if err != nil {
		panic(err)
	}
	y := m.Predict(new(mlp.Matrix), test.X)
	fmt.Printf("R² on the test rows %.3f, mean absolute error %.0f\n", mlp.RSquared.Of(y, test.Y), mlp.MeanAbsoluteError.Of(y, test.Y))

	chart := mlp.Figure{Title: "Predicted against true", Charts: []mlp.Chart{{XLabel: "True", YLabel: "Predicted", Equal: true, Series: []mlp.Series{
		{Name: "test rows", X: test.Y.Data, Y: y.Data, Points: true},
		{Name: "as if all were right", X: []float64{80_000, 180_000}, Y: []float64{80_000, 180_000}},
	}}}}
	fmt.Printf("%.4s…\n", chart.SVG())
	// Output:
	// R² on the test rows 0.997, mean absolute error 683
	// <svg…
}

// A network that is too sure: of the overlap of two classes it has learnt every row by heart. A
// temperature from rows that it has not seen, which are then in the model.
func ExampleFitTemperature() {
	data, classes, rng := random(900), make([]int, 900), rand.New(rand.NewPCG(2, 2))
	for i := range classes {
		if x := data.Row(i); x[0]+x[1]+rng.NormFloat64() > 0 {
			classes[i] = 1
		}
	}
	all := mlp.Samples{X: data, Y: mlp.OneHot(classes, 2)}
	train, held, test := all.Slice(0, 200), all.Slice(200, 400), all.Slice(400, 900)
	m, err := mlp.Fit(context.Background(), mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 64, 2), train, mlp.Config{
		Optimizer: mlp.Adam, Rate: 0.01, Epochs: 100, Batch: 20})
	if err != nil {
		panic(err)
	}
	var y mlp.Matrix
	before := mlp.CalibrationError.Of(m.Predict(&y, test.X), test.Y)
	m.Temperature = mlp.FitTemperature(m.Predict(&y, held.X), held.Y)
	after := mlp.CalibrationError.Of(m.Predict(&y, test.X), test.Y)
	fmt.Printf("temperature %.2f, calibration error on other rows %.3f, before %.3f\n", m.Temperature, after, before)
	// Output:
	// temperature 1.41, calibration error on other rows 0.065, before 0.098
}

// handler answers JSON, rows of numbers, with a row of probabilities for each. Any number
// of requests share the model.
func handler(m *mlp.Model) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var rows [][]float64
		if err := json.NewDecoder(r.Body).Decode(&rows); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		x := mlp.NewMatrix(len(rows), m.Net[0].W.Rows)
		for i, row := range rows {
			if len(row) != x.Cols {
				http.Error(w, fmt.Sprintf("row %d has %d numbers, want %d", i, len(row), x.Cols), http.StatusBadRequest)
				return
			}
			copy(x.Row(i), row)
		}
		p := m.Predict(new(mlp.Matrix), x).Softmax()
		for i := range rows {
			rows[i] = p.Row(i)
		}
		json.NewEncoder(w).Encode(rows)
	}
}

// A test digit and a line across are compared with training digits.
func ExampleFitFamiliarity() {
	train, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 0)
	if err != nil {
		panic(err)
	}
	test, err := mlp.LoadMNIST(mlp.SampleMNIST(), "t10k", 1)
	if err != nil {
		panic(err)
	}
	f := mlp.FitFamiliarity(train)
	line := make([]byte, mlp.MNISTPixels)
	for x := 4; x < 24; x++ {
		line[14*28+x] = 255
	}
	test.Images, test.Labels = append(test.Images, line...), append(test.Labels, 0)
	for _, l := range f.Compare(test) {
		fmt.Printf("most similar to a %d (%.2f), unlike a digit: %v\n", f.Digits.Labels[l.Nearest[0]], l.Similarity[0], l.Unlike)
	}
	// Output:
	// most similar to a 7 (0.91), unlike a digit: false
	// most similar to a 4 (0.34), unlike a digit: true
}

// A server's handler with a model that a program would embed as a file.
func Example_handler() {
	trained := mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 8, 2)}
	data := samples(grid(10))
	_, err := mlp.Train(context.Background(), trained.Net, data, mlp.Config{
		Optimizer: mlp.Adam, Rate: 0.03, Epochs: 200, Batch: 25, Run: &trained.Run})
	if err != nil {
		panic(err)
	}
	trained.Run = mlp.Run{} // which only training needs
	var file bytes.Buffer
	if err := trained.Write(&file); err != nil {
		panic(err)
	}

	m, err := mlp.ReadModel(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	for _, body := range []string{"[[0.1, 0.2], [0.9, -0.9]]", "[[1]]"} {
		w := httptest.NewRecorder()
		handler(m)(w, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		var rows [][]float64
		if json.Unmarshal(w.Body.Bytes(), &rows) != nil {
			fmt.Print(w.Code, ": ", w.Body.String())
		}
		for _, p := range rows {
			fmt.Printf("inside the circle with probability %.1f\n", p[1])
		}
	}
	// Output:
	// inside the circle with probability 1.0
	// inside the circle with probability 0.0
	// 400: row 0 has 1 numbers, want 2
}

// Three labels that do not depend on one another. The last is rare: weights let its few
// rows count as much as the others together.
func Example_labels() {
	data := mlp.Samples{X: random(600), Y: mlp.NewMatrix(600, 3)}
	rare := mlp.NewMatrix(600, 1)
	for i := range rare.Data {
		x, y := data.X.Row(i), data.Y.Row(i)
		for j, yes := range []bool{x[0] > 0, x[0] > x[1], x[1] > 1.8} {
			if yes {
				y[j] = 1
			}
		}
		rare.Data[i] = y[2]
	}
	train := mlp.WeightedSamples{Samples: data, W: mlp.BalancedWeights(rare)}
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 16, 3)
	_, err := mlp.Train(context.Background(), net, train, mlp.Config{
		Loss: mlp.SigmoidCrossEntropy, Metric: mlp.LabelAccuracy, Optimizer: mlp.Adam, Rate: 0.01, Epochs: 40, Batch: 20,
	})
	if err != nil {
		panic(err)
	}
	_, accuracy := mlp.EvaluateBy(net, data, mlp.SigmoidCrossEntropy, mlp.LabelAccuracy)
	found, all := 0, 0
	var y mlp.Matrix
	net.Predict(&y, data.X)
	for i, yes := range rare.Data {
		if yes == 1 {
			if all++; y.Row(i)[2] > 0 {
				found++
			}
		}
	}
	fmt.Printf("label accuracy %.2f; of the rare label %d of %d are found\n", accuracy, found, all)
	// Output:
	// label accuracy 0.98; of the rare label 34 of 34 are found
}

// jittered is an mlp.Augmented: samples whose inputs are moved a little, anew in each epoch.
type jittered struct{ mlp.Samples }

func (s jittered) Epoch(n int) mlp.Dataset {
	x, rng := s.X.Clone(), rand.New(rand.NewPCG(1, uint64(n)))
	for i := range x.Data {
		x.Data[i] += 0.1 * (rng.Float64() - 0.5)
	}
	return mlp.Samples{X: x, Y: s.Y}
}

// Few samples, and what makes the most of them: new versions of them in each epoch,
// dropout, a decay of the weights, and labels that are not quite sure.
func Example_augmentation() {
	few, test := samples(grid(8)), samples(grid(33))
	mlp.SmoothLabels(few.Y, 0.05)
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 64, 2)
	net[0].Dropout = 0.1
	history, err := mlp.Train(context.Background(), net, jittered{few}, mlp.Config{
		Optimizer: mlp.AdamW, Decay: 0.01, Rate: 0.01, Schedule: mlp.Cosine, Epochs: 200, Batch: 16, Test: test,
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("accuracy on %d other points %.3f\n", test.Len(), history[199].TestMetric)
	// Output:
	// accuracy on 1089 other points 0.972
}

// A rare class is in both parts of a split, and rows that weigh more let the network find it.
// Of what it finds more is wrong then.
func ExampleSamples_SplitStratified() {
	data := mlp.Samples{X: random(600), Y: mlp.NewMatrix(600, 1)}
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range data.Y.Data {
		if x := data.X.Row(i); x[0]+x[1]+rng.NormFloat64() > 3 {
			data.Y.Data[i] = 1
		}
	}
	train, test := data.SplitStratified(0.5, 1)
	for _, weights := range [][]float64{nil, mlp.BalancedWeights(train.Y)} {
		var weighted mlp.Dataset = train
		if weights != nil {
			weighted = mlp.WeightedSamples{Samples: train, W: weights}
		}
		net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 8, 1)
		_, err := mlp.Train(context.Background(), net, weighted, mlp.Config{
			Loss: mlp.SigmoidCrossEntropy, Optimizer: mlp.Adam, Rate: 0.03, Epochs: 100, Batch: 20})
		if err != nil {
			panic(err)
		}
		y := net.Predict(new(mlp.Matrix), test.X)
		fmt.Printf("recall %.2f, precision %.2f, F1 %.2f, area under the curve %.2f\n", mlp.Recall.Of(y, test.Y),
			mlp.Precision.Of(y, test.Y), mlp.F1.Of(y, test.Y), mlp.AUC.Of(y, test.Y))
	}
	// Output:
	// recall 0.21, precision 1.00, F1 0.35, area under the curve 0.95
	// recall 0.79, precision 0.28, F1 0.41, area under the curve 0.92
}

// Outliers in a tenth of the targets pull a network by the squared error, and less by Huber's.
func ExampleHuber() {
	data := mlp.Samples{X: random(300), Y: mlp.NewMatrix(300, 1)}
	for i := range data.Y.Data {
		data.Y.Data[i] = data.X.Row(i)[0]
	}
	train, test := data.Slice(0, 200), data.Slice(200, 300)
	for i := 0; i < 200; i += 10 {
		train.Y.Data[i] += 30
	}
	for _, loss := range []mlp.Loss{mlp.SquaredError, mlp.Huber(1)} {
		net := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 2, 8, 1)
		_, err := mlp.Train(context.Background(), net, train, mlp.Config{
			Loss: loss, Metric: mlp.MeanAbsoluteError, Optimizer: mlp.Adam, Rate: 0.01, Epochs: 100, Batch: 20})
		if err != nil {
			panic(err)
		}
		_, off := mlp.EvaluateBy(net, test, loss, mlp.MeanAbsoluteError)
		fmt.Printf("mean absolute error on other rows %.2f\n", off)
	}
	// Output:
	// mean absolute error on other rows 2.99
	// mean absolute error on other rows 0.15
}

// What an output depends on: of two inputs, this one only sees the first.
func ExampleNetwork_InputGradient() {
	net := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 2, 8, 1)
	clear(net[0].W.Row(1)) // the weights of the second input
	x := random(100).Slice(0, 3)
	dy := mlp.NewMatrix(3, 1, 1, 1, 1) // the gradient of the sum of the outputs by each
	net.Forward(x)
	net.Backward(dy)
	var dx mlp.Matrix
	for i := range net.InputGradient(&dx).Rows {
		fmt.Printf("%.3f\n", dx.Row(i))
	}
	// Output:
	// [-0.135 0.000]
	// [-0.062 0.000]
	// [-0.401 0.000]
}

// An IDX file, gzipped or not: the labels of the test digits.
func ExampleReadIDX() {
	file, err := mlp.SampleMNIST().Open("t10k-labels-idx1-ubyte.gz")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	dims, labels, err := mlp.ReadIDX(file)
	if err != nil {
		panic(err)
	}
	fmt.Println(dims, labels[:8])
	// Output: [1000] [7 6 6 9 3 3 5 6]
}
