// Package mlp builds and trains multi-layer perceptrons from the matrix up,
// with nothing but the standard library and its own assembly. It does in Go what
// the article "Learn Deep Learning with NumPy, Part 4.1: Deeper MLPs and
// Vanishing Gradients" does in NumPy.
//
// # Conventions
//
// A [Matrix] is row-major; a row is a sample. An operation stores its result in its
// receiver, z, and returns z. It gives z the shape that follows from the operands x and
// y, and reuses z's storage. Shapes that do not fit are a mistake of the program: the
// operation panics with its name and both shapes. What comes from a file, a reader or a
// context returns an error that names the file and the place. The package never prints.
//
// # Every bit
//
// Each element of a product is one chain of fused multiply-adds over the
// summed index in ascending order, starting from zero, in every kernel and
// with any number of threads. Threads share out parts of the result, never
// parts of a sum. Other sums run in a fixed order. The exponential, the logarithm and
// normally distributed numbers are the package's own. Uniform random numbers are those of
// math/rand/v2's PCG, which are fixed, or hashes. So one seed gives one set of weights.
//
// # What is not finite
//
// A NaN in the data, an infinity, or a step that is too large makes the loss NaN or infinite
// sooner or later: each operation passes NaN on. Train looks at the loss before each update,
// and at every weight and running value at the end of an epoch. If one is not finite, Train
// undoes the epoch and returns an error, a [DivergedError] unless the data are to blame.
// Losses are finite for any finite logits, if need be as the largest float64. A norm of a
// gradient that has vanished does not underflow. A file has no number that is not finite.
//
// # Goroutines
//
// A Network is trained by one goroutine at a time, because Forward keeps in it
// what Backward needs. Predict only reads it: any number of goroutines may
// predict with one network while none trains it. Different networks may be used
// at the same time, and so may the parts of a data set once it is standardized.
//
// A product, a prediction or a batch of digits is shared by the caller and worker goroutines,
// together GOMAXPROCS or one for each processor if there are fewer. A worker waits for the
// next task by spinning, and ends if none comes for a short while. If two goroutines meet
// because both have work to share, both compute alone for their next calls. A panic in a
// worker, in a user's activation for example, is raised in the goroutine that called, with
// the value that the worker panicked with.
package mlp

// What follows is for readers of the code. Each file is a chapter that reads from top to
// bottom:
//
//	mat.go          Matrix; the three products; sums, norms, moments; standardization
//	gemm.go         how a product is computed: loops, packing, parts for threads, block sizes
//	parallel.go     the worker pool
//	mat_generic.go  micro-kernel and elementwise steps in Go: the definition of every bit
//	math.go         exp, log, tanh; normally distributed and hashed random numbers
//	mat_*, vec_*    the micro-kernels and the elementwise steps of each processor
//
//	nn.go           activations, initialisations, layers forward and backward, batch
//	                normalisation, dropout, and the vector that has a network's numbers
//	loss.go         losses with their gradients, metrics
//	data.go         data sets, weights and order of samples, targets
//	train.go        Config, Train, an epoch, a step
//	optimizer.go    optimizers, schedules of the rate, the update of weights
//	history.go      Epoch, History, Run, statistics of layers: what a training leaves
//	predict.go      predictions and evaluations, which only read a network
//
//	mnist.go        IDX files, the digits as a data set, files known by their checksum
//	digits.go       digits deskewed, and deformed anew in each epoch
//	npz.go          NumPy's archives and arrays, FormatError
//	model.go        models in files
//	svgplot.go      charts
//
// SECURITY.md says what bounds the reading of a hostile file, and testdata/perf/README.md
// has the measurements behind each constant.
//
// A step, from one call to the next. trainer.step in train.go takes a batch through the network:
//
//	trainer.readBatch             x, y of the batch              data.go, mnist.go
//	Network.forward               for each layer                 nn.go
//	    a = f(x·W + B), dropped       epilogue biasAndActivation
//	Loss                          the loss and dy                loss.go
//	Network.backward              for each layer, the last first nn.go
//	    DB = Σ dz
//	    next dz = (dz·Wᵀ) ∘ f′        epilogue derivative
//	    DW = xᵀ·dz, W -= …            epilogue weightUpdate      optimizer.go
//	update.move                   B -= …, Gain -= …              optimizer.go
//
// Matrix.product in gemm.go cuts a product in parts, which the worker pool computes. The
// thread that has computed some rows of a part applies the product's epilogue to them while
// they are in the cache. In the first step of a run and the last of each epoch, in which the
// layers are measured, and if gradients are clipped, W moves after Network.backward instead.
//
// All weights lie in one vector, those of a layer in rows. The gradient, the optimizer's
// running values, and the last and the best epoch's weights are vectors of the same layout
// (part in nn.go). While nobody can look, the first layer's weights may lie in a copy without
// the inputs that are zero in every sample (compactLayer in train.go).
//
// Who owns what:
//
//	weights, biases, gradients, last input and output   Layer           nn.go
//	what a layer dropped in the last step               dropout         nn.go
//	running averages of batch normalisation             BatchNorm       nn.go
//	the history, an optimizer's running values          Run             history.go
//	the number of the step, the learning rate           OptimizerStep   optimizer.go
//	the vectors of a training, what undoes an epoch     trainer         train.go
//	what a prediction computes on its way               forwardPass     predict.go
//	a packed block of a product                         workspace       gemm.go
