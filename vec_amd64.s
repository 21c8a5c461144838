// The elementwise steps for AVX2, and two of them for AVX-512. Each has a twin in
// mat_generic.go that says what it computes.

//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of all steps: the slices' first elements and the loop over their elements,
// of which there is at least one full vector.
#define z       DI // the slice that is changed
#define x       SI // the second slice
#define y       R8 // the third
#define count   CX
#define i       AX

#define ONESLICE \
	MOVQ z_base+0(FP), z    \
	MOVQ z_len+8(FP), count \
	XORL i, i

#define TWOSLICES ONESLICE; MOVQ x_base+24(FP), x
#define THREESLICES TWOSLICES; MOVQ y_base+48(FP), y

// NEXT goes on with the next vector at the label loop, or returns after the last.
#define NEXT(lanes, loop) \
	ADDQ $lanes, i \
	CMPQ i, count  \
	JLT  loop      \
	VZEROUPPER     \
	RET

// TWO is z = z OP x.
#define TWO(OP) \
	TWOSLICES             \
loop:                     \
	VMOVUPD (z)(i*8), Y0  \
	OP (x)(i*8), Y0, Y0   \
	VMOVUPD Y0, (z)(i*8)  \
	NEXT(4, loop)

// THREE is a fused multiply-add of z, x and y.
#define THREE(FMA) \
	THREESLICES           \
loop:                     \
	VMOVUPD (z)(i*8), Y0  \
	VMOVUPD (x)(i*8), Y1  \
	FMA (y)(i*8), Y1, Y0  \
	VMOVUPD Y0, (z)(i*8)  \
	NEXT(4, loop)

// FACTOR is a fused multiply-add of z, x and the number s.
#define FACTOR(FMA, lanes, z0, s0) \
	TWOSLICES                \
	VBROADCASTSD s+48(FP), s0 \
loop:                        \
	VMOVUPD (z)(i*8), z0     \
	FMA (x)(i*8), s0, z0     \
	VMOVUPD z0, (z)(i*8)     \
	NEXT(lanes, loop)

// func mulAVX2(z, x []float64)
TEXT ·mulAVX2(SB), NOSPLIT, $0-48
	TWO(VMULPD)

// func divAVX2(z, x []float64)
TEXT ·divAVX2(SB), NOSPLIT, $0-48
	TWO(VDIVPD)

// func addProductAVX2(z, x, y []float64)
TEXT ·addProductAVX2(SB), NOSPLIT, $0-72
	THREE(VFMADD231PD)

// func scaleAVX2(z, x, y []float64)
TEXT ·scaleAVX2(SB), NOSPLIT, $0-72
	THREE(VFMADD213PD)

// func axpyAVX2(z, x []float64, s float64)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-56
	FACTOR(VFMADD231PD, 4, Y0, Y1)

// func axpyAVX512(z, x []float64, s float64)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-56
	FACTOR(VFMADD231PD, 8, Z0, Z1)

// func xpayAVX2(z, x []float64, s float64)
TEXT ·xpayAVX2(SB), NOSPLIT, $0-56
	FACTOR(VFMADD213PD, 4, Y0, Y1)

// The last vector of bytesAVX2 may overlap the one before, because z is not read.
//
// func bytesAVX2(z []float64, p []byte, scale, shift []float64)
TEXT ·bytesAVX2(SB), NOSPLIT, $0-96
	ONESLICE
	MOVQ p_base+24(FP), SI
	MOVQ scale_base+48(FP), R8
	MOVQ shift_base+72(FP), R9
	SUBQ $4, count // the first element of the last vector

loop:
	VPMOVZXBD   (SI)(i*1), X0
	VCVTDQ2PD   X0, Y0
	VMOVUPD     (R8)(i*8), Y1
	VFMADD213PD (R9)(i*8), Y1, Y0
	VMOVUPD     Y0, (z)(i*8)
	CMPQ        i, count
	JEQ         end
	ADDQ        $4, i
	CMPQ        i, count
	CMOVQGT     count, i
	JMP         loop

end:
	VZEROUPPER
	RET

// func prefetch(p []byte)
TEXT ·prefetch(SB), NOSPLIT, $0-24
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), count
	ADDQ SI, count
	JMP  test

line:
	PREFETCHT0 (SI)
	ADDQ       $64, SI

test:
	CMPQ SI, count
	JLT  line
	RET

// Adam. A division takes eight times as long as a multiplication, and two of the three
// are by numbers that are the same for all elements: the corrections. QUOTIENT divides by
// such a number d, given the rounded 1/d, with multiplications alone. q approximates a/d,
// and a - q·d, which is exact, corrects q twice. After that q is a/d, rounded as VDIVPD
// rounds it (Markstein 1990, theorem 2), unless a is so small or so large that a step
// leaves the range of numbers. Then EXTREME or EXTREME512 says so, and both quotients are
// divisions. A zero needs none: only a -0 would lose its sign.
#define w z
#define g x
#define m y
#define v R9
#define factors R10

#define FACTORS(beta1, rest1, beta2, rest2, correct1, correct2, epsilon, rate) \
	VBROADCASTSD adamFactors_beta1(factors), beta1       \
	VBROADCASTSD adamFactors_rest1(factors), rest1       \
	VBROADCASTSD adamFactors_beta2(factors), beta2       \
	VBROADCASTSD adamFactors_rest2(factors), rest2       \
	VBROADCASTSD adamFactors_correct1(factors), correct1 \
	VBROADCASTSD adamFactors_correct2(factors), correct2 \
	VBROADCASTSD adamFactors_epsilon(factors), epsilon   \
	VBROADCASTSD adamFactors_rate(factors), rate

// MOMENTS updates m and v for one vector.
#define MOMENTS(gradient, m1, v1, beta1, rest1, beta2, rest2) \
	VMOVUPD     (g)(i*8), gradient    \
	VMULPD      gradient, rest1, m1   \
	VFMADD231PD (m)(i*8), beta1, m1   \
	VMOVUPD     m1, (m)(i*8)          \
	VMULPD      gradient, rest2, v1   \
	VMULPD      gradient, v1, v1      \
	VFMADD231PD (v)(i*8), beta2, v1   \
	VMOVUPD     v1, (v)(i*8)

#define QUOTIENT(a, d, inverse, q, rest) \
	VMULPD       a, inverse, q    \
	VMOVAPD      a, rest          \
	VFNMADD231PD q, d, rest       \
	VFMADD231PD  rest, inverse, q \
	VFNMADD231PD q, d, a          \
	VFMADD213PD  q, inverse, a

// MOVE moves w for one vector by the quotients m1 and v1.
#define MOVE(m1, v1, epsilon, rate) \
	VSQRTPD     v1, v1                \
	VADDPD      epsilon, v1, v1       \
	VDIVPD      v1, m1, m1            \
	VMOVUPD     (w)(i*8), v1          \
	VFMADD231PD m1, rate, v1          \
	VMOVUPD     v1, (w)(i*8)

// EXTREME sets the lanes of found for which |a| is under least and a is not +0, or |a| is
// not at most 1/least. MAGNITUDE has all bits but the sign.
#define EXTREME(a, magnitude, least, most, size, found) \
	VANDPD    a, magnitude, size        \
	VCMPPD    $1, least, size, found    \
	VCMPPD    $6, most, size, size      \
	VORPD     size, found, found        \
	VPXOR     size, size, size          \
	VPCMPEQQ  a, size, size             \
	VANDNPD   found, size, found

// func adamAVX2(w, g, m, v []float64, f *adamFactors)
TEXT ·adamAVX2(SB), NOSPLIT, $0-104
	THREESLICES
	MOVQ v_base+72(FP), v
	MOVQ f+96(FP), factors
	FACTORS(Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)

loop:
	MOMENTS(Y0, Y1, Y2, Y8, Y9, Y10, Y11)
	VBROADCASTSD adamFactors_magnitude(factors), Y0
	VBROADCASTSD adamFactors_least(factors), Y3
	VBROADCASTSD adamFactors_most(factors), Y4
	EXTREME(Y1, Y0, Y3, Y4, Y5, Y6)
	EXTREME(Y2, Y0, Y3, Y4, Y5, Y7)
	VORPD        Y6, Y7, Y7
	VTESTPD      Y7, Y7
	JNE          divide
	VBROADCASTSD adamFactors_inverse1(factors), Y3
	VBROADCASTSD adamFactors_inverse2(factors), Y4
	QUOTIENT(Y1, Y12, Y3, Y5, Y6)
	QUOTIENT(Y2, Y13, Y4, Y5, Y6)

move:
	MOVE(Y1, Y2, Y14, Y15)
	NEXT(4, loop)

divide:
	VDIVPD Y12, Y1, Y1
	VDIVPD Y13, Y2, Y2
	JMP    move

// EXTREME512 is EXTREME for the mask register found.
#define EXTREME512(a, magnitude, least, most, size, found, other) \
	VANDPD    a, magnitude, size         \
	VCMPPD    $1, least, size, found     \
	VPTESTMQ  a, a, found, found         \
	VCMPPD    $6, most, size, other      \
	KORW      other, found, found

// func adamAVX512(w, g, m, v []float64, f *adamFactors)
TEXT ·adamAVX512(SB), NOSPLIT, $0-104
	THREESLICES
	MOVQ v_base+72(FP), v
	MOVQ f+96(FP), factors
	FACTORS(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	VBROADCASTSD adamFactors_magnitude(factors), Z16
	VBROADCASTSD adamFactors_least(factors), Z17
	VBROADCASTSD adamFactors_most(factors), Z18
	VBROADCASTSD adamFactors_inverse1(factors), Z19
	VBROADCASTSD adamFactors_inverse2(factors), Z20

loop:
	MOMENTS(Z0, Z1, Z2, Z8, Z9, Z10, Z11)
	EXTREME512(Z1, Z16, Z17, Z18, Z3, K1, K2)
	EXTREME512(Z2, Z16, Z17, Z18, Z4, K3, K4)
	KORTESTW K1, K3
	JNE      divide
	QUOTIENT(Z1, Z12, Z19, Z5, Z6)
	QUOTIENT(Z2, Z13, Z20, Z7, Z3)

move:
	MOVE(Z1, Z2, Z14, Z15)
	NEXT(8, loop)

divide:
	VDIVPD Z12, Z1, Z1
	VDIVPD Z13, Z2, Z2
	JMP    move

// The activations. Each instruction of REDUCE, POWER and EXP stands for one step of
// reduce, power and exp in mat_generic.go, and rounds as that does.
#define arg       Y0 // the argument, then the result
#define n         Y1 // e^arg = 2^n·(1+p)
#define p         Y2
#define r         Y3 // the reduced argument
#define term      Y4
#define given     Y5 // the argument as the slice holds it
#define log2e     Y8
#define toInt     Y9
#define ln2Hi     Y10
#define ln2Lo     Y11
#define one       Y12
#define minusZero Y13
#define bound     Y14 // exp's lower bound, tanh's upper
#define second    Y15 // exp's upper bound, tanh's 2
#define constants R10

#define ACTIVATION \
	ONESLICE                                                  \
	LEAQ         ·expTable(SB), constants                    \
	VBROADCASTSD expConstants_log2e(constants), log2e         \
	VBROADCASTSD expConstants_toInt(constants), toInt         \
	VBROADCASTSD expConstants_ln2Hi(constants), ln2Hi         \
	VBROADCASTSD expConstants_ln2Lo(constants), ln2Lo         \
	VBROADCASTSD expConstants_one(constants), one             \
	VBROADCASTSD expConstants_minusZero(constants), minusZero

#define TERM(k) \
	VBROADCASTSD expConstants_taylor+8*k(constants), term \
	VFMADD213PD  term, r, p

#define REDUCE \
	VMOVAPD      toInt, n            \
	VFMADD231PD  arg, log2e, n       \
	VSUBPD       toInt, n, n         \
	VMOVAPD      arg, r              \
	VFNMADD231PD ln2Hi, n, r         \
	VFNMADD231PD ln2Lo, n, r         \
	VBROADCASTSD expConstants_taylor+8*11(constants), p \
	TERM(10)                         \
	TERM(9)                          \
	TERM(8)                          \
	TERM(7)                          \
	TERM(6)                          \
	TERM(5)                          \
	TERM(4)                          \
	TERM(3)                          \
	TERM(2)                          \
	TERM(1)                          \
	TERM(0)                          \
	VMULPD       r, p, p             \
	VFMADD213PD  r, r, p

// power = 2^exponent: the low bits of exponent + toInt, moved up, are added to those of 1.
#define POWER(exponent, power) \
	VADDPD toInt, exponent, power \
	VPSLLQ $52, power, power      \
	VPADDQ one, power, power

// arg = e^arg, for an arg that is a number and not above exp's upper bound.
#define EXP \
	VMAXPD       bound, arg, arg     \
	REDUCE                           \
	VBROADCASTSD expConstants_half(constants), r \
	VMULPD       r, n, r             \
	VROUNDPD     $1, r, r            \
	VSUBPD       r, n, n             \
	POWER(r, r)                      \
	POWER(n, n)                      \
	VADDPD       p, one, arg         \
	VMULPD       r, arg, arg         \
	VMULPD       n, arg, arg

// NaN stays NaN.
#define RESULT(loop) \
	VCMPPD    $3, given, given, Y6   \
	VBLENDVPD Y6, given, arg, arg    \
	VMOVUPD   arg, (z)(i*8)          \
	NEXT(4, loop)

// func expAVX2(z []float64)
TEXT ·expAVX2(SB), NOSPLIT, $0-24
	ACTIVATION
	VBROADCASTSD expConstants_low(constants), bound
	VBROADCASTSD expConstants_high(constants), second

loop:
	VMOVUPD (z)(i*8), given
	VMINPD  second, given, arg
	EXP
	RESULT(loop)

// func sigmoidAVX2(z []float64)
TEXT ·sigmoidAVX2(SB), NOSPLIT, $0-24
	ACTIVATION
	VBROADCASTSD expConstants_low(constants), bound

loop:
	VMOVUPD   (z)(i*8), given
	VORPD     minusZero, given, arg
	EXP
	VADDPD    arg, one, n
	VBLENDVPD given, arg, one, arg // the numerator: arg if given is negative, else 1
	VDIVPD    n, arg, arg
	RESULT(loop)

// func tanhAVX2(z []float64)
TEXT ·tanhAVX2(SB), NOSPLIT, $0-24
	ACTIVATION
	VBROADCASTSD expConstants_tanhHigh(constants), bound
	VBROADCASTSD expConstants_two(constants), second

loop:
	VMOVUPD     (z)(i*8), given
	VANDNPD     given, minusZero, arg
	VMINPD      bound, arg, arg
	VADDPD      arg, arg, arg
	REDUCE
	POWER(n, n)
	VSUBPD      one, n, arg
	VFMADD231PD n, p, arg
	VADDPD      second, arg, n
	VDIVPD      n, arg, arg
	VANDPD      minusZero, given, n
	VORPD       n, arg, arg
	RESULT(loop)

// func reluAVX2(z []float64)
TEXT ·reluAVX2(SB), NOSPLIT, $0-24
	ONESLICE
	VXORPD Y1, Y1, Y1

loop:
	VMAXPD  (z)(i*8), Y1, Y0 // of a NaN and 0, or of two zeros, it takes what is in memory
	VMOVUPD Y0, (z)(i*8)
	NEXT(4, loop)

// BACK is dz *= f′, which DERIVATIVE computes in Y0 from a = f(z) there. dz is in the
// register z, a in x, and Y2 is zero.
#define BACK(DERIVATIVE) \
	TWOSLICES                                            \
	VXORPD       Y2, Y2, Y2                              \
	VBROADCASTSD ·expTable+expConstants_one(SB), one     \
loop:                                                    \
	VMOVUPD      (x)(i*8), Y0                            \
	DERIVATIVE                                           \
	VMULPD       (z)(i*8), Y0, Y0                        \
	VMOVUPD      Y0, (z)(i*8)                            \
	NEXT(4, loop)

#define RELUBACK VCMPPD $1, Y0, Y2, Y0; VANDPD one, Y0, Y0 // 1 if 0 < a, else 0
#define SIGMOIDBACK VSUBPD Y0, one, Y1; VMULPD Y1, Y0, Y0
#define TANHBACK VMULPD Y0, Y0, Y0; VSUBPD Y0, one, Y0

// func reluBackAVX2(dz, a []float64)
TEXT ·reluBackAVX2(SB), NOSPLIT, $0-48
	BACK(RELUBACK)

// func sigmoidBackAVX2(dz, a []float64)
TEXT ·sigmoidBackAVX2(SB), NOSPLIT, $0-48
	BACK(SIGMOIDBACK)

// func tanhBackAVX2(dz, a []float64)
TEXT ·tanhBackAVX2(SB), NOSPLIT, $0-48
	BACK(TANHBACK)
