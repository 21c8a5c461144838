// The functions of a model that is written as C. A file has those that it needs. JavaScript has
// the same, without types: see javaScript in source.go.

#include <math.h>

static void take(double *z, const double *x, int n, double scale) { for (int i = 0; i < n; i++) z[i] = x[i] / scale; }

// grey returns the grey value, from 0 to 255, of a pixel from 0 to 1.
static double grey(double v) {
	return floor((v < 0 ? 0 : v > 1 ? 1 : v) * 255 + 0.5);
}

static double greyAt(const double *x, double i, double j) {
	return i < 0 || i > 27 || j < 0 || j > 27 ? 0 : grey(x[(int)(i * 28 + j)]);
}

// deskewTo sets y to the image x with its centre of mass in the middle, upright, and about as
// wide and as high as any other.
static void deskewTo(double *y, const double *x) {
	double m = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
	for (int i = 0; i < 28; i++)
		for (int j = 0; j < 28; j++) {
			double p = greyAt(x, i, j);
			m += p;
			sx += p * j;
			sy += p * i;
			sxx += p * j * j;
			sxy += p * i * j;
			syy += p * i * i;
		}
	double mx = 13.5, my = 13.5, xx = 0, xy = 0, yy = 0, s = 0;
	if (m > 0) {
		mx = sx / m;
		my = sy / m;
		xx = (m * sxx - sx * sx) / (m * m);
		xy = (m * sxy - sx * sy) / (m * m);
		yy = (m * syy - sy * sy) / (m * m);
	}
	if (yy > 0) s = fmax(-1, fmin(1, xy / yy));
	double width = sqrt(fmax(0, xx - 2 * s * xy + s * s * yy));
	double gx = sqrt(fmax(0.4, fmin(1.6, width / 3.6)));
	double gy = sqrt(fmax(0.6, fmin(1.5, sqrt(yy) / 5.4)));
	for (int i = 0; i < 28; i++)
		for (int j = 0; j < 28; j++) {
			double v = gy * (i - 13.5), row = my + v, column = mx + s * v + gx * (j - 13.5);
			double top = floor(row), left = floor(column), fy = row - top, fx = column - left;
			double above = greyAt(x, top, left) * (1 - fx) + greyAt(x, top, left + 1) * fx;
			double below = greyAt(x, top + 1, left) * (1 - fx) + greyAt(x, top + 1, left + 1) * fx;
			y[i * 28 + j] = floor(above * (1 - fy) + below * fy + 0.5) / 255 + (m - m); // NaN if m is
		}
}

static void standardize(double *y, const double *mean, const double *std, int n) {
	for (int j = 0; j < n; j++) y[j] = (y[j] - mean[j]) / std[j];
}

// quantity sets an input to v or, if that is missing, to the mean. So do the others.
static void quantity(double *z, int at, double v, const double *mean) { z[at] = v == v ? v : mean[at]; }

static void bins(double *z, int at, double v, const double *mean, const double *edges, int n) {
	for (int k = 0; k < n; k++) {
		double a = edges[k], b = edges[k + 1];
		z[at + k] = v != v ? mean[at + k] : v <= a ? 0 : v < b ? (v - a) / (b - a) : 1;
	}
}

static void category(double *z, int at, double v, const double *mean, int n) {
	for (int k = 0; k < n; k++) z[at + k] = 0 <= v && v < n ? v == k : mean[at + k];
}

static void gap(double *z, int at, double v) { z[at] = v != v; }

// dense sets y to the product of x and w.
static void dense(double *y, const double *x, const double *w, int m, int n) {
	for (int j = 0; j < n; j++) y[j] = 0;
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++) y[j] += x[i] * w[i * n + j];
}

static void addTo(double *y, const double *b, int n) { for (int j = 0; j < n; j++) y[j] += b[j]; }

static void zero(double *y, int n) { for (int j = 0; j < n; j++) y[j] = 0; }

static void affine(double *y, const double *scale, const double *shift, int n) {
	for (int j = 0; j < n; j++) y[j] = y[j] * scale[j] + shift[j];
}

static void relus(double *y, int n) { for (int j = 0; j < n; j++) if (y[j] < 0) y[j] = 0; }

static void sigmoids(double *y, int n) { for (int j = 0; j < n; j++) y[j] = 1 / (1 + exp(-y[j])); }

static void tanhs(double *y, int n) { for (int j = 0; j < n; j++) y[j] = tanh(y[j]); }

static void softmax(double *y, int n) {
	double most = y[0], total = 0;
	for (int j = 1; j < n; j++) if (y[j] > most) most = y[j];
	for (int j = 0; j < n; j++) total += y[j] = exp(y[j] - most);
	for (int j = 0; j < n; j++) y[j] /= total;
}

static double logOf(double p) { return log(p < 2.2250738585072014e-308 ? 2.2250738585072014e-308 : p); }

static void meanOfClasses(double *y, int n, double k) { for (int j = 0; j < n; j++) y[j] = logOf(y[j] / k); }

// addLabels adds the probabilities with the logits z to y, and one less them to rest.
static void addLabels(double *y, double *rest, const double *z, int n) {
	for (int j = 0; j < n; j++) {
		y[j] += 1 / (1 + exp(-z[j]));
		rest[j] += 1 / (1 + exp(z[j]));
	}
}

static void meanOfLabels(double *y, const double *rest, int n, double k) {
	for (int j = 0; j < n; j++) y[j] = logOf(y[j] / k) - logOf(rest[j] / k);
}

static void divide(double *y, int n, double k) { for (int j = 0; j < n; j++) y[j] /= k; }

static void restore(double *y, const double *mean, const double *std, int n) {
	for (int j = 0; j < n; j++) y[j] = y[j] * std[j] + mean[j];
}
