// Package mlp builds and trains multi-layer perceptrons from the matrix up,
// with nothing but the standard library and its own assembly. It is in Go what
// the article "Learn Deep Learning with NumPy, Part 4.1: Deeper MLPs and
// Vanishing Gradients" is in NumPy.
//
// # Conventions
//
// A [Matrix] is row-major; a row is a sample. The receiver of an operation is
// its result, is named z, takes its shape from the operands x and y, reuses
// its storage and is returned. Shapes that do not fit are the program's fault
// and panic with the method's name and both shapes; what comes from a file, a
// reader or a context returns an error that names the file and the place. The
// package never prints.
//
// # A map
//
//	mat.go          Matrix and its three products
//	threads.go      the goroutines that share work
//	mat_generic.go  the kernels in Go, exp and log: the definition of every bit
//	mat_amd64.s     the same for AVX-512 and AVX2, chosen in mat_amd64.go
//	mat_arm64.s     the product for NEON
//	mat_noasm.go    every other processor, and -tags purego
//	nn.go           activations, layers forward and backward, predictions
//	norm.go         batch normalisation
//	loss.go         the losses and their gradients
//	train.go        Train, and the history of a run
//	optimizer.go    the optimizers and the schedules of their rate
//	rulers.go       how fast each layer learns
//	npz.go          NumPy's .npz archives
//	model.go        a network as such an archive
//	mnist.go        IDX files and the digits
//	known.go        the files of digits that are known by their content
//	svgplot.go      charts
//	axis.go         the round numbers beside them
//
// # Every bit
//
// Each element of a product is one chain of fused multiply-adds over the
// summed index in ascending order, starting from zero, in every kernel and
// with any number of threads. Threads share out parts of the result, never
// parts of a sum; other sums run in a fixed order; exponential, logarithm and
// random numbers are the package's own. So one seed gives one set of weights.
//
// # How a step is computed
//
// A product is cut into chunks of the result. What follows it element by
// element is done by whoever computed the chunk, while it is in the cache:
// bias and activation after x·W, the derivative after δ·Wᵀ, the bias's
// gradient and the update of the weights after xᵀ·δ. One routine serves the
// three products, which differ in their strides, and one serves the threads.
//
// During an epoch Train keeps the weights in blocks of columns, so that a thread
// reads and updates its own and no other's, and drops each gradient once it has
// moved them: unless it clips gradients, a batch has more than 512 rows or an epoch
// fewer than nine steps. A layer's W is up to date when OnEpoch is called and when
// Train returns; DW is the gradient of the last step, unless an error ended Train.
//
// # Goroutines
//
// A Network is trained by one goroutine at a time, because Forward keeps in it
// what Backward needs. Predict only reads it: any number of goroutines may
// predict with one network while none trains it. Different networks may be used
// at the same time, and so may the parts of a data set, once it is
// standardized. Products start helper goroutines, up to GOMAXPROCS in all, which
// end by themselves a fraction of a millisecond after the last product.
package mlp
