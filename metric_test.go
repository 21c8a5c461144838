package mlp

import (
	"context"
	"testing"
)

func TestMetrics(t *testing.T) {
	c := reference(t, "sklearn.json", "r2_score")
	near(t, "R²", scalar(RSquared.Of(c.In["y"], c.In["want"])), c.Out["r2"], 1e-12)
	c = reference(t, "sklearn.json", "label_accuracy")
	near(t, "label accuracy", scalar(LabelAccuracy.Of(c.In["y"], c.In["want"])), c.Out["accuracy"], 0)
	column := func(x ...float64) *Matrix { return NewMatrix(len(x), 1, x...) }
	for _, c := range []struct {
		by      *Metric
		y, want *Matrix
		is      float64
	}{
		{Accuracy, column(-1, 2, -3, 4), column(0, 1, 1, 1), 0.75},
		{Accuracy, column(-1, 2, -3, 4), column(0.1, 0.9, 0.9, 0.9), 0.75}, // smoothed
		{Accuracy, NewMatrix(2, 2, 1, 2, 4, 3), NewMatrix(2, 2, 0, 1, 0, 1), 0.5},
		{RSquared, column(1, 2, 4), column(1, 2, 3), 0.5},
	} {
		if got := c.by.Of(c.y, c.want); got != c.is {
			t.Errorf("the %s of %v for %v is %v, want %v", c.by.Name, c.y.Data, c.want.Data, got, c.is)
		}
	}
	for _, v := range []float64{Accuracy.Of(column(1, 2), column(1, 2)), RSquared.Of(column(1, 2, 3), column(0.1, 0.1, 0.1))} {
		if v == v {
			t.Errorf("a metric that means nothing is %v", v)
		}
	}
}

// A metric sees all rows at once, in training and in evaluation.
func TestMetricOfAllRows(t *testing.T) {
	data := blobs(1500)
	y := NewMatrix(1500, 1)
	for i := range y.Data {
		y.Data[i] = float64(i)
	}
	numbers := Samples{data.X, y}
	net := NewNetwork(1, He, Tanh, 4, 5, 1)
	m := &Model{Net: net}
	c := Config{Loss: SquaredError, Metric: RSquared, Rate: 1e-6, Epochs: 1, Batch: 100, Test: numbers, Run: &m.Run}
	h, err := Train(context.Background(), net, numbers, c)
	if err != nil {
		t.Fatal(err)
	}
	want := RSquared.Of(net.Predict(new(Matrix), data.X), y)
	_, evaluated := EvaluateBy(net, numbers, SquaredError, RSquared)
	for _, got := range []float64{h[0].Accuracy, h[0].TestAccuracy, evaluated} {
		if got != want {
			t.Errorf("R² %v, of all rows %v", got, want)
		}
	}
	// The file of the run names the metric, and the run cannot go on with another.
	if m, err = read(written(t, m)); err != nil || m.Run.Metric != "R²" {
		t.Fatalf("the metric %q, error %v", m.Run.Metric, err)
	}
	c.Metric, c.Epochs, c.Run = nil, 2, &m.Run
	_, err = Train(context.Background(), m.Net, numbers, c)
	if want := `Run: its accuracies are by the metric "R²", not "accuracy"`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
