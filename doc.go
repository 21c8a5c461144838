// Package mlp builds and trains multi-layer perceptrons from the matrix up,
// with nothing but the standard library and its own assembly. It does in Go what
// the article "Learn Deep Learning with NumPy, Part 4.1: Deeper MLPs and
// Vanishing Gradients" does in NumPy.
//
// # Conventions
//
// A [Matrix] is row-major; a row is a sample. z.Mul(x, y) stores its result in the receiver
// z and returns z, and so do the other operations. z gets the shape that follows from the
// operands, and its storage is reused. Shapes that do not fit are a mistake of the program:
// the operation panics with its name and both shapes. What comes from a file, a reader or a
// context returns an error that names the file and the place. The package never prints.
//
// # Every bit
//
// One seed gives one set of weights, with any number of threads and on any processor. Each
// element of a product is one chain of fused multiply-adds over the summed index in ascending
// order, starting from zero, in every kernel. Threads share out elements of the result, never
// terms of a sum. Other sums run in a fixed order. The exponential, the logarithm and random
// numbers are the package's own, or math/rand/v2's PCG, whose values are fixed.
//
// # What is not finite
//
// Each operation passes NaN on, so that a NaN or an infinity in the data, or a step that is
// too large, makes the loss NaN or infinite sooner or later. Train looks at the loss before
// each update, and at all weights and running values at the end of an epoch. If one is not
// finite, Train undoes the epoch, and returns an error that names the sample or, if the data
// are not to blame, a [DivergedError]. Losses of logits are finite for any finite logits.
//
// # Goroutines
//
// A Network is trained by one goroutine at a time, because Forward keeps in it what Backward
// needs. Predict only reads it: any number of goroutines may predict with one network while
// none trains it. Different networks may be used at the same time, and so may the training
// and the test digits, once both are standardized.
//
// Products, predictions and batches of digits are computed by the caller and by workers that
// it starts, together at most GOMAXPROCS goroutines and at most one for each processor. So an
// activation or an optimizer may be called by several goroutines at once. A worker waits for
// the next task by spinning, and ends if none comes for a short while. If two goroutines want
// the workers at the same time, both compute alone for their next thousand tasks.
//
// A training, a Stepper and an evaluation measure how fast they are with 1, 2, 4, … threads, again and
// again while they run, and use the number that is fastest. So a worker that has to wait for a processor,
// because other programs use it, is soon left out. Model.Train trains as many networks at the same
// time as there are threads, each on a goroutine. OpenMNIST reads the end of a file on a goroutine. A panic of
// an activation is raised in the goroutine that called, whichever goroutine ran into it.
package mlp

// What follows is for readers of the code. Each file is a chapter that reads from top to
// bottom:
//
//	mat.go          Matrix; the three products; sums, norms, moments; standardization
//	gemm.go         how a product is computed: loops, packing, cutting for threads, block sizes
//	parallel.go     the worker pool; how many threads a loop uses (pace); limits of containers
//	mat_generic.go  micro-kernel and elementwise steps in Go: the definition of every bit
//	math.go         exp, log, tanh; normally distributed and hashed random numbers
//	mat_*, vec_*    micro-kernels and elementwise steps by processor: AVX-512 and AVX2 in
//	                *_amd64, NEON in *_arm64, the choice of mat_generic.go in *_noasm
//
//	nn.go           activations, initialisations, layers forward and backward, batch
//	                normalisation, dropout, the layout of a network's vectors (part)
//	loss.go         losses with their gradients, metrics
//	data.go         data sets, the weight of each sample, the order of samples; whether
//	                samples fit a network (validateWidths, validateTargets)
//	train.go        Config, Train, Fit, a step (Stepper), an epoch, inputs that are always zero
//	optimizer.go    optimizers, schedules of the rate, a test of rates, the update of weights
//	history.go      Epoch, History, Run, statistics of layers: what a training leaves
//	predict.go      predictions and evaluations, which only read a network
//
//	mnist.go        IDX files, the digits as a data set, MNIST's files by their checksums
//	digits.go       digits deskewed, and deformed anew in each epoch
//	familiar.go     which images look like digits, by training digits that a model keeps
//	npz.go          NumPy's archives and arrays, FormatError
//	columns.go      how the raw numbers of a table's row become inputs
//	model.go        models and ensembles in files: W1, b1, …; the running values as m.W1, …
//	source.go       a model as a file of Go, C or JavaScript; export/ has the functions of the file
//	onnx.go         the same program as an ONNX graph
//	svgplot.go      charts
//
// SECURITY.md says what bounds the reading of a hostile file, and testdata/perf/README.md
// has the measurements behind each constant.
//
// A step is trainer.step in train.go. It takes a batch through the network:
//
//	trainer.readBatch             x and y of the batch            Dataset.Batch
//	Network.forward               for each layer                  nn.go
//	    z = x·W                       Matrix.product              gemm.go
//	    z normalised, if Norm         BatchNorm.forward
//	    a = f(z + B), dropout         epilogue biasAndActivation
//	Loss                          the loss, and dy by the outputs loss.go
//	Schedule                      the learning rate               optimizer.go
//	Network.backward              for each layer, the last first, nn.go
//	                              down to the lowest that is not Frozen
//	    DB = Σ dz, DGain              BatchNorm.backward, if Norm
//	    dz of the layer below         = (dz·Wᵀ) ∘ f′, epilogue derivative
//	    DW = xᵀ·dz, then W moves      epilogue weightUpdate       optimizer.go
//	update.move                   the biases and gains move       optimizer.go
//
// In a layer the gradient goes on to the layer below before W moves, because it belongs to
// the W of Network.forward.
//
// Matrix.product computes all three products, on at most as many threads as the step's pace says.
// product.cut cuts the result into rectangles, and the worker pool computes them. The thread that has
// computed some rows of a rectangle applies the product's epilogue to them while they are in
// the cache. In some steps Stepper.move moves W after Network.backward instead: if gradients
// are clipped, and in the steps whose statistics are kept, which are the first of a run and
// the last of each epoch.
//
// A network's weights, biases, gains and running averages are parts of one vector, row by
// row; a Layer's matrices are views of it. The gradient, the optimizer's running values, and
// the weights of the last and of the best epoch are vectors of the same layout. If an epoch is
// interrupted or fails, trainer.undo copies the last epoch's weights back, or with Patience
// the best epoch's.
//
// Train has one trainer, and Model.Train one for each network of an ensemble. trainEpoch trains
// an epoch of all, each on one goroutine and one thread (together in parallel.go). If one fails, all
// are undone.
//
// The first layer's weights may lie elsewhere for some steps: in a copy without the inputs that
// are zero in every sample, whose weights stay in the vector and do not move (compactLayer in
// train.go). That is never so if a function of the user's that could read the weights is called
// in between: a Loss, an Activation, OnStep.
//
// Who owns what:
//
//	the matrices of weights and gradients, x and a of the last step  Layer        nn.go
//	what a layer dropped in the last step                            dropout      nn.go
//	what batch normalisation needs from forward to backward          BatchNorm    nn.go
//	the history, the optimizer's running values                      Run          history.go
//	the number of the step, the learning rate, the gradient          Stepper      train.go
//	the number of threads, and how fast each number was              pace         parallel.go
//	the weights, and the copies that undo an epoch                   trainer      train.go
//	what a prediction computes on its way                            forwardPass  predict.go
//	a packed block of a product                                      workspace    gemm.go
