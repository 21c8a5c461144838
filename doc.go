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
// # Map
//
// The matrix and its products:
//
//	mat.go          Matrix: storage, the three products, softmax, standardization
//	product.go      the loops of a product, packing, and its parts for threads
//	packed.go       weights packed by panels of columns
//	kernel.go       the table of micro-kernels and their block sizes
//	mat_generic.go  micro-kernel, elementwise steps, exp and log in Go: every bit's definition
//	mat_*           the micro-kernels: assembly for amd64 and arm64, or else mat_generic.go's
//	elementwise_*   the elementwise steps: assembly for amd64, or else mat_generic.go's
//	vector.go       sums, norms and moments of slices
//	threads.go      the worker pool
//
// The network and its training:
//
//	nn.go           activations, initialisations, layers forward and backward
//	norm.go         batch normalisation
//	dropout.go      dropout
//	loss.go         losses and their gradients
//	predict.go      predictions, which only read a network
//	standardize.go  the mean and the deviation of inputs, which a model carries
//	data.go         data sets, the order of samples, targets
//	weights.go      weights of samples
//	inputs.go       inputs that are zero in every sample
//	metric.go       metrics, Evaluate
//	config.go       Config, what Train can be told
//	train.go        Train, an epoch, a step
//	optimizer.go    optimizers, schedules of the rate, the update of a layer
//	history.go      Epoch, History and Run: what a training leaves beside the weights
//	layerstats.go   how much each layer learns
//
// Files:
//
//	format.go       what the readers share: FormatError
//	idx.go          IDX files, gzipped or not
//	mnist.go        the digits as a data set
//	deskew.go       digits normalised by their moments
//	deform.go       digits that are deformed anew in each epoch of training
//	known.go        the files of digits that are known by their checksum
//	npz.go, npy.go  NumPy's archives and arrays
//	model.go        what model.npz holds and how it is written
//	readmodel.go    how it is read
//	modelfile.go    models by the name of their file
//	svgplot.go      charts: the figure, its legends and axes
//	svgline.go      their lines
//	svgtext.go      their texts, cut and wrapped to fit
//	axis.go         the round numbers beside them
//
// SECURITY.md says what bounds the reading of a hostile file.
//
// # From one call to the next
//
// A step of training, trainer.step in train.go:
//
//	Dataset.Batch                 x, y of the batch               mnist.go, data.go
//	Network.forward               for each layer a = f(x·W + B)   nn.go
//	    a ∘ mask, if it drops         epilogue dropout            dropout.go
//	Loss                          the loss and dy                 loss.go
//	Network.backward              for each layer, from the last   nn.go
//	    dz = (next dz·next Wᵀ) ∘ f′   epilogue derivative
//	    DW = xᵀ·dz, DB = Σ dz         epilogue biasGradient
//	    W -= …                        epilogue layerState         optimizer.go
//
// The derivative of the last layer is applied before the loop, to dy. If gradients are
// clipped, and in the steps that layer statistics are measured at (the first of the run
// and the last of each epoch), the update comes after the loop instead, in
// trainer.update.
//
// product.go computes all three products. It cuts a product in parts, and the worker
// pool computes them. The thread that has computed a part applies the product's
// epilogues to it while the part is in the cache: the bias and the activation, the
// derivative, or the update of the weights.
//
// During an epoch Train keeps the weights packed by panels of columns, so that a
// thread reads and updates its own panels and no other's, and it drops each part of a
// gradient once the part has moved its weights. Train does not pack for the steps that
// layer statistics are measured at, nor if it clips gradients, if a batch has more
// than 512 samples, or if an epoch has few steps. Steps with packed weights leave out the
// inputs that are zero in every sample, and their weights, if nothing else can move these
// (liveInputs).
//
// # Who owns what
//
//	weights, biases, gradients, last input and output   Layer           nn.go
//	what a layer drops in the last step                 Layer           nn.go
//	running averages of batch normalisation             BatchNorm       norm.go
//	an optimizer's running values, the history          Run             history.go
//	the weights and the running values while packed     layerState      optimizer.go
//	what undoes an epoch; with Patience, the best's     trainer         train.go
//	what a prediction computes on its way               forwardPass     predict.go
//	packed blocks and tiles of a product                workspace       product.go
//
// # Every bit
//
// Each element of a product is one chain of fused multiply-adds over the
// summed index in ascending order, starting from zero, in every kernel and
// with any number of threads. Threads share out parts of the result, never
// parts of a sum. Other sums run in a fixed order. The exponential, the logarithm and
// normally distributed numbers are the package's own; the uniform random numbers are
// math/rand/v2's PCG, whose values are fixed, and for dropout a hash of what is dropped
// (splitMix). So one seed gives one set of weights.
//
// # What is not finite
//
// A pixel is a byte. A NaN in other data, an infinity, or a step that is too large makes
// the loss NaN or infinite sooner or later: each operation passes NaN on. Train looks at
// the loss before each update (trainer.step). If it is not finite, Train looks for a number
// of the batch that is not (trainer.validateBatch). It looks at every weight and running
// value at the end of an epoch (trainer.checkFinite). In each case it undoes the epoch and
// returns an error, a [DivergedError] unless the data are to blame. Losses of logits are
// finite for any finite logits, because they subtract the largest before the exponential
// (expShifted). A norm of a gradient that has vanished does not underflow (rootOfSquares).
// A file has no number that is not finite (namedArray.validate).
//
// # Goroutines
//
// A Network is trained by one goroutine at a time, because Forward keeps in it
// what Backward needs. Predict only reads it: any number of goroutines may
// predict with one network while none trains it. Different networks may be used
// at the same time, and so may the parts of a data set once it is standardized.
//
// A product, a prediction or a batch of digits starts worker goroutines. The caller and
// the workers together are GOMAXPROCS goroutines, or one for each processor if there are
// fewer processors. A worker waits for the next task by spinning, and ends by itself if
// none comes for a short while. If two goroutines meet because both have work to share,
// both compute alone for their next calls. A panic in a worker, in a user's activation
// for example, is raised in the goroutine that called, as an error that holds the
// worker's stack.
package mlp
