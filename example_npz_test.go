package mlp_test

import (
	"context"
	"fmt"
	"os"

	"mlp"
)

// Data of one's own come from NumPy in one file, here points (90×2) and the arm of the
// spiral that each lies on (90 integers):
//
//	np.savez("spirals.npz", points=points, arm=arm)
func ExampleReadNPZ() {
	file, err := os.Open("testdata/npz/spirals.npz")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	arrays, err := mlp.ReadNPZ(file, info.Size())
	if err != nil {
		panic(err)
	}
	points, arm := arrays["points"], arrays["arm"]
	fmt.Printf("points: %d×%d, arm: %d×%d\n", points.Rows, points.Cols, arm.Rows, arm.Cols)

	classes := mlp.NewMatrix(points.Rows, 3) // a row for each point, 1 in the column of its arm
	for i, a := range arm.Data {
		classes.Row(i)[int(a)] = 1
	}
	net := mlp.NewNetwork(1, mlp.Xavier, mlp.Tanh, 2, 32, 3)
	data := mlp.Samples{X: points, Y: classes}
	history, err := mlp.Train(context.Background(), net, data, mlp.Config{Optimizer: mlp.Adam, Rate: 0.03, Epochs: 300, Batch: 30})
	if err != nil {
		panic(err)
	}
	fmt.Printf("accuracy after the first epoch %.2f, after the last %.2f\n", history[0].Metric, history[299].Metric)
	// Output:
	// points: 90×2, arm: 1×90
	// accuracy after the first epoch 0.40, after the last 0.98
}
