// The kernels for amd64. Every element of a product is one chain of fused
// multiply-adds over p, kept in one lane of one register: lanes are columns of
// z, never terms of a sum, so the bits are those of mat_generic.go.

//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// func cpuid(leaf uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	XORL CX, CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// The product kernels hold a tile of z in registers and, for each p, load a
// row of b (one to three vectors) and multiply it by one element of a after
// another, broadcast from where it lies.

#define zp   DI  // the tile's first element, then the row being moved
#define ap   SI  // a's element (0, p)
#define bp   DX  // b's row p
#define ldz  BX  // strides in bytes
#define ai   R8
#define ai3  R9
#define ai5  R10
#define ai7  R11
#define ak   R12
#define bk   R13
#define left CX  // terms to come
#define rows AX
#define cols R15

#define ARGUMENTS \
	MOVQ tile_z(R14), zp           \
	MOVQ tile_a(R14), ap           \
	MOVQ tile_b(R14), bp           \
	MOVQ tile_ldz(R14), ldz        \
	MOVQ tile_ai(R14), ai          \
	MOVQ tile_ak(R14), ak          \
	MOVQ tile_bk(R14), bk          \
	MOVQ tile_k(R14), left         \
	MOVQ tile_rows(R14), rows      \
	MOVQ tile_cols(R14), cols      \
	SHLQ $3, ldz                   \
	SHLQ $3, ai                    \
	SHLQ $3, ak                    \
	SHLQ $3, bk                    \
	LEAQ (ai)(ai*2), ai3           \
	LEAQ (ai)(ai*4), ai5           \
	LEAQ (ai3)(ai*4), ai7

#define AGAIN \
	MOVQ tile_z(R14), zp           \
	MOVQ tile_rows(R14), rows

// One loop over p: a row of b, then the rows of the tile.
#define LOOP(label, LOAD, ROWS) \
label:                      \
	LOAD                    \
	ROWS                    \
	ADDQ ak, ap             \
	ADDQ bk, bp             \
	DECQ left               \
	JNZ  label              \
	JMP  store

// AVX-512: a tile of 8 rows by 3 vectors fills Z8 to Z31, b's row is in Z0 to
// Z2, and Z3 to Z7 take turns at holding an element of a. Where b's row is one
// vector, the multiply-add broadcasts the element itself: 8 rows then take 8
// cycles, and with a register between 11.

// K1 to K3 mask the columns that the tile has of each vector: in b, whose row
// may end there, and in z.
#define LOAD1 VMOVUPD.Z (bp), K1, Z0
#define LOAD2 LOAD1; VMOVUPD.Z 64(bp), K2, Z1
#define LOAD3 LOAD2; VMOVUPD.Z 128(bp), K3, Z2

// Where a does not stay in the cache, whole tiles ask for two rows of the next
// one's as they go: 2048×512×96 did 56 GFLOP/s with it and 54 without.
#define ahead R14 // tile_next, in the place of the tile
#define LOADAHEAD LOAD3; PREFETCHT1 (ahead); PREFETCHT1 (ahead)(ai*1); ADDQ ak, ahead

#define MAC1(at, x, z0, z1, z2) VFMADD231PD.BCST at, Z0, z0
#define MAC2(at, x, z0, z1, z2) VBROADCASTSD at, x; VFMADD231PD Z0, x, z0; VFMADD231PD Z1, x, z1
#define MAC3(at, x, z0, z1, z2) MAC2(at, x, z0, z1, z2); VFMADD231PD Z2, x, z2

#define ROWS1 MAC((ap), Z3, Z8, Z9, Z10)
#define ROWS2 ROWS1; MAC((ap)(ai*1), Z4, Z11, Z12, Z13)
#define ROWS3 ROWS2; MAC((ap)(ai*2), Z5, Z14, Z15, Z16)
#define ROWS4 ROWS3; MAC((ap)(ai3*1), Z6, Z17, Z18, Z19)
#define ROWS5 ROWS4; MAC((ap)(ai*4), Z7, Z20, Z21, Z22)
#define ROWS6 ROWS5; MAC((ap)(ai5*1), Z3, Z23, Z24, Z25)
#define ROWS7 ROWS6; MAC((ap)(ai3*2), Z4, Z26, Z27, Z28)
#define ROWS8 ROWS7; MAC((ap)(ai7*1), Z5, Z29, Z30, Z31)

// The sums eight rows below, of the next tile, are asked for while these are added to.
#define FETCH(z0, z1, z2) \
	VMOVUPD.Z (zp), K1, z0     \
	VMOVUPD.Z 64(zp), K2, z1   \
	VMOVUPD.Z 128(zp), K3, z2  \
	PREFETCHT1 (zp)(ldz*8)     \
	PREFETCHT1 64(zp)(ldz*8)   \
	PREFETCHT1 128(zp)(ldz*8)  \
	ADDQ ldz, zp               \
	DECQ rows                  \
	JZ   begin

// Only the vectors that the tile has: at 64×64×8 it did 54 GFLOP/s, and 48 where
// an empty mask kept the other two from being written.
#define PUT1(z0, z1, z2) VMOVUPD z0, K1, (zp)
#define PUT2(z0, z1, z2) PUT1(z0, z1, z2); VMOVUPD z1, K2, 64(zp)
#define PUT3(z0, z1, z2) PUT2(z0, z1, z2); VMOVUPD z2, K3, 128(zp)

#define STORE(z0, z1, z2) PUT(z0, z1, z2); ADDQ ldz, zp; DECQ rows; JZ done
#define STORES \
	STORE(Z8, Z9, Z10)         \
	STORE(Z11, Z12, Z13)       \
	STORE(Z14, Z15, Z16)       \
	STORE(Z17, Z18, Z19)       \
	STORE(Z20, Z21, Z22)       \
	STORE(Z23, Z24, Z25)       \
	STORE(Z26, Z27, Z28)       \
	STORE(Z29, Z30, Z31)

// Ten columns, the digits, are 8 + 2. So that the 2 do not cost a vector of
// their own, four rows share one: Z8 to Z15 hold the eight columns of each row,
// Z4 and Z6 the two columns of four rows side by side, whose elements of a are
// merged, by K4 to K6, from the registers that served the eight. The bound is ten
// multiply-adds and ten loads for 8 rows, which 64×128×10 comes near with 94
// GFLOP/s of 110 on Zen 5. Of fewer than 8 rows the last is computed again in the
// place of those that are not there.
#define QUAD(at0, at1, at2, at3, z0, z1, z2, z3, two) \
	VBROADCASTSD at0, Z16        \
	VBROADCASTSD at1, Z17        \
	VBROADCASTSD at2, Z18        \
	VBROADCASTSD at3, Z19        \
	VFMADD231PD  Z0, Z16, z0     \
	VMOVAPD      Z17, K4, Z16    \
	VFMADD231PD  Z0, Z17, z1     \
	VMOVAPD      Z18, K5, Z16    \
	VFMADD231PD  Z0, Z18, z2     \
	VMOVAPD      Z19, K6, Z16    \
	VFMADD231PD  Z0, Z19, z3     \
	VFMADD231PD  Z1, Z16, two

// Where a vector of 512 bits is worked on in two halves, it is merging that is
// dear, and loading that is not: there a pair of rows shares Y4, Y5, Y6 or Y7, and
// its elements of a are loaded once more, masked by K1. On Zen 4 eight rows take
// 10.8 cycles, of which 10 are multiply-adds; with two vectors to a row they took 16.
#define PAIR(at0, at1, z0, z1, two) \
	VFMADD231PD.BCST at0, Z0, z0 \
	VFMADD231PD.BCST at1, Z0, z1 \
	VBROADCASTSD at0, Y2         \
	VBROADCASTSD at1, K1, Y2     \
	VFMADD231PD  Y1, Y2, two

#define FETCHPAIR(z0, z1, x, y) \
	VMOVUPD     (zp), z0           \
	VMOVUPD.Z   64(zp), K3, x      \
	ADDQ        ldz, zp            \
	DECQ        rows               \
	JZ          begin              \
	VMOVUPD     (zp), z1           \
	VMOVUPD.Z   64(zp), K3, X0     \
	VINSERTF128 $1, X0, y, y       \
	ADDQ        ldz, zp            \
	DECQ        rows               \
	JZ          begin

#define STOREPAIR(z0, z1, x, y) \
	VMOVUPD      z0, (zp)          \
	VMOVUPD      x, K3, 64(zp)     \
	ADDQ         ldz, zp           \
	DECQ         rows              \
	JZ           done              \
	VEXTRACTF128 $1, y, X0         \
	VMOVUPD      z1, (zp)          \
	VMOVUPD      X0, K3, 64(zp)    \
	ADDQ         ldz, zp           \
	DECQ         rows              \
	JZ           done

// Where the eight elements of a lie side by side, as in Aᵀ·B, they are a vector
// themselves, and the two columns of the eight rows are sums of vectors, Z2 and
// Z3: 128×64×10 did 55 GFLOP/s with it and 49 without. ROWPAIR brings them to Y4
// to Y7 in the end.
#define ROWPAIR(i, x, y) \
	VEXTRACTF64X2 $i, Z0, x        \
	VEXTRACTF64X2 $i, Z1, X2       \
	VINSERTF128   $1, X2, y, y

#define ai6 R15 // no longer cols

// func multiplyTenAVX512(t *tile)
TEXT ·multiplyTenAVX512(SB), NOSPLIT, $0-8
	MOVQ    t+0(FP), R14
	ARGUMENTS
	MOVL    $12, R14
	KMOVW   R14, K1
	LEAQ    -17(cols)(cols*1), cols // 1 or 3: the columns beyond the eighth
	KMOVW   cols, K3
	LEAQ    (cols)(cols*4), cols    // the same twice
	IMUL3Q  $17, cols, cols         // and four times
	KMOVW   cols, K2
	MOVBLZX ·halves(SB), R14        // here: in a plugin this takes R15 to get at it
	KMOVW   R14, K7
	MOVQ    t+0(FP), R14
	VXORPD  X4, X4, X4
	VXORPD  X5, X5, X5
	VXORPD  X6, X6, X6
	VXORPD  X7, X7, X7
	VXORPD  X8, X8, X8
	VXORPD  X9, X9, X9
	VXORPD  X10, X10, X10
	VXORPD  X11, X11, X11
	VXORPD  X12, X12, X12
	VXORPD  X13, X13, X13
	VXORPD  X14, X14, X14
	VXORPD  X15, X15, X15
	CMPB    tile_more(R14), $0
	JEQ     begin
	FETCHPAIR(Z8, Z9, X4, Y4)
	FETCHPAIR(Z10, Z11, X5, Y5)
	FETCHPAIR(Z12, Z13, X6, Y6)
	FETCHPAIR(Z14, Z15, X7, Y7)

begin:
	AGAIN
	TESTQ   left, left
	JZ      store
	LEAQ    (ai3)(ai3*1), ai6
	CMPQ    rows, $8
	CMOVQLT ai6, ai7
	CMPQ    rows, $7
	CMOVQLT ai5, ai7
	CMOVQLT ai5, ai6
	JLE     loop
	CMPQ    ai, $8
	JNE     loop
	CMPB    tile_more(R14), $0
	JNE     loop
	CMPQ    tile_cols(R14), $10
	JNE     loop
	VXORPD  X2, X2, X2
	VXORPD  X3, X3, X3

together:
	VMOVUPD          (bp), Z0
	VMOVUPD          (ap), Z1
	VFMADD231PD.BCST (ap), Z0, Z8
	VFMADD231PD.BCST 8(ap), Z0, Z9
	VFMADD231PD.BCST 16(ap), Z0, Z10
	VFMADD231PD.BCST 24(ap), Z0, Z11
	VFMADD231PD.BCST 32(ap), Z0, Z12
	VFMADD231PD.BCST 40(ap), Z0, Z13
	VFMADD231PD.BCST 48(ap), Z0, Z14
	VFMADD231PD.BCST 56(ap), Z0, Z15
	VFMADD231PD.BCST 64(bp), Z1, Z2
	VFMADD231PD.BCST 72(bp), Z1, Z3
	ADDQ             ak, ap
	ADDQ             bk, bp
	DECQ             left
	JNZ              together
	VUNPCKLPD        Z3, Z2, Z0
	VUNPCKHPD        Z3, Z2, Z1
	ROWPAIR(0, X4, Y4)
	ROWPAIR(1, X5, Y5)
	ROWPAIR(2, X6, Y6)
	ROWPAIR(3, X7, Y7)
	JMP              store

loop:
	KORTESTW      K7, K7
	JNE           pairs
	MOVL          $0x0c, R14
	KMOVW         R14, K4
	MOVL          $0x30, R14
	KMOVW         R14, K5
	MOVL          $0xc0, R14
	KMOVW         R14, K6
	VINSERTF64X4  $1, Y5, Z4, Z4
	VINSERTF64X4  $1, Y7, Z6, Z6

quads:
	VMOVUPD           (bp), Z0
	VBROADCASTF64X2.Z 64(bp), K2, Z1
	QUAD((ap), (ap)(ai*1), (ap)(ai*2), (ap)(ai3*1), Z8, Z9, Z10, Z11, Z4)
	QUAD((ap)(ai*4), (ap)(ai5*1), (ap)(ai6*1), (ap)(ai7*1), Z12, Z13, Z14, Z15, Z6)
	ADDQ              ak, ap
	ADDQ              bk, bp
	DECQ              left
	JNZ               quads
	VEXTRACTF64X4     $1, Z4, Y5
	VEXTRACTF64X4     $1, Z6, Y7
	JMP               store

pairs:
	VMOVUPD           (bp), Z0
	VBROADCASTF64X2.Z 64(bp), K2, Y1
	PAIR((ap), (ap)(ai*1), Z8, Z9, Y4)
	PAIR((ap)(ai*2), (ap)(ai3*1), Z10, Z11, Y5)
	PAIR((ap)(ai*4), (ap)(ai5*1), Z12, Z13, Y6)
	PAIR((ap)(ai6*1), (ap)(ai7*1), Z14, Z15, Y7)
	ADDQ              ak, ap
	ADDQ              bk, bp
	DECQ              left
	JNZ               pairs

store:
	STOREPAIR(Z8, Z9, X4, Y4)
	STOREPAIR(Z10, Z11, X5, Y5)
	STOREPAIR(Z12, Z13, X6, Y6)
	STOREPAIR(Z14, Z15, X7, Y7)

done:
	VZEROUPPER
	RET

// func multiplyAVX512(t *tile)
TEXT ·multiplyAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), R14
	ARGUMENTS
	MOVQ $-1, R14
	BZHIQ cols, R14, R14
	KMOVW R14, K1
	SHRQ $8, R14
	KMOVW R14, K2
	SHRQ $8, R14
	KMOVW R14, K3
	MOVQ t+0(FP), R14
	CMPB tile_more(R14), $0
	JNE  fetch
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	VPXORQ Z24, Z24, Z24
	VPXORQ Z25, Z25, Z25
	VPXORQ Z26, Z26, Z26
	VPXORQ Z27, Z27, Z27
	VPXORQ Z28, Z28, Z28
	VPXORQ Z29, Z29, Z29
	VPXORQ Z30, Z30, Z30
	VPXORQ Z31, Z31, Z31
	JMP  begin

fetch:
	FETCH(Z8, Z9, Z10)
	FETCH(Z11, Z12, Z13)
	FETCH(Z14, Z15, Z16)
	FETCH(Z17, Z18, Z19)
	FETCH(Z20, Z21, Z22)
	FETCH(Z23, Z24, Z25)
	FETCH(Z26, Z27, Z28)
	FETCH(Z29, Z30, Z31)

begin:
	AGAIN
	MOVQ  tile_next(R14), ahead
	TESTQ left, left
	JZ    store
	ADDQ  $7, cols
	SHRQ  $3, cols
	LEAQ  (rows)(cols*8), cols
	CMPQ  cols, $32
	JNE   part
	TESTQ ahead, ahead
	JEQ   loop8x3
	JMP   ahead8x3

part:
	CMPQ  cols, $31
	JEQ   loop7x3
	CMPQ  cols, $30
	JEQ   loop6x3
	CMPQ  cols, $29
	JEQ   loop5x3
	CMPQ  cols, $28
	JEQ   loop4x3
	CMPQ  cols, $27
	JEQ   loop3x3
	CMPQ  cols, $26
	JEQ   loop2x3
	CMPQ  cols, $25
	JEQ   loop1x3
	CMPQ  cols, $24
	JEQ   loop8x2
	CMPQ  cols, $23
	JEQ   loop7x2
	CMPQ  cols, $22
	JEQ   loop6x2
	CMPQ  cols, $21
	JEQ   loop5x2
	CMPQ  cols, $20
	JEQ   loop4x2
	CMPQ  cols, $19
	JEQ   loop3x2
	CMPQ  cols, $18
	JEQ   loop2x2
	CMPQ  cols, $17
	JEQ   loop1x2
	CMPQ  cols, $16
	JEQ   loop8x1
	CMPQ  cols, $15
	JEQ   loop7x1
	CMPQ  cols, $14
	JEQ   loop6x1
	CMPQ  cols, $13
	JEQ   loop5x1
	CMPQ  cols, $12
	JEQ   loop4x1
	CMPQ  cols, $11
	JEQ   loop3x1
	CMPQ  cols, $10
	JEQ   loop2x1
	CMPQ  cols, $9
	JEQ   loop1x1

#define MAC(at, x, z0, z1, z2) MAC3(at, x, z0, z1, z2)
	LOOP(ahead8x3, LOADAHEAD, ROWS8)
	LOOP(loop8x3, LOAD3, ROWS8)
	LOOP(loop7x3, LOAD3, ROWS7)
	LOOP(loop6x3, LOAD3, ROWS6)
	LOOP(loop5x3, LOAD3, ROWS5)
	LOOP(loop4x3, LOAD3, ROWS4)
	LOOP(loop3x3, LOAD3, ROWS3)
	LOOP(loop2x3, LOAD3, ROWS2)
	LOOP(loop1x3, LOAD3, ROWS1)

#undef MAC
#define MAC(at, x, z0, z1, z2) MAC2(at, x, z0, z1, z2)
	LOOP(loop8x2, LOAD2, ROWS8)
	LOOP(loop7x2, LOAD2, ROWS7)
	LOOP(loop6x2, LOAD2, ROWS6)
	LOOP(loop5x2, LOAD2, ROWS5)
	LOOP(loop4x2, LOAD2, ROWS4)
	LOOP(loop3x2, LOAD2, ROWS3)
	LOOP(loop2x2, LOAD2, ROWS2)
	LOOP(loop1x2, LOAD2, ROWS1)

#undef MAC
#define MAC(at, x, z0, z1, z2) MAC1(at, x, z0, z1, z2)
	LOOP(loop8x1, LOAD1, ROWS8)
	LOOP(loop7x1, LOAD1, ROWS7)
	LOOP(loop6x1, LOAD1, ROWS6)
	LOOP(loop5x1, LOAD1, ROWS5)
	LOOP(loop4x1, LOAD1, ROWS4)
	LOOP(loop3x1, LOAD1, ROWS3)
	LOOP(loop2x1, LOAD1, ROWS2)
	LOOP(loop1x1, LOAD1, ROWS1)

store:
	KORTESTW K2, K2
	JEQ      store1
	KORTESTW K3, K3
	JEQ      store2

#define PUT(z0, z1, z2) PUT3(z0, z1, z2)
	STORES

#undef PUT
#define PUT(z0, z1, z2) PUT2(z0, z1, z2)
store2:
	STORES

#undef PUT
#define PUT(z0, z1, z2) PUT1(z0, z1, z2)
store1:
	STORES

done:
	VZEROUPPER
	RET

// AVX2: 6 rows by 2 vectors fill Y4 to Y15, b's row is in Y0 and Y1, and Y2 and
// Y3 take turns at holding an element of a. Vectors of the tile are always
// whole.

#undef LOAD1
#undef LOAD2
#undef LOAD3
#undef MAC1
#undef MAC2
#undef MAC3
#undef MAC
#undef ROWS1
#undef ROWS2
#undef ROWS3
#undef ROWS4
#undef ROWS5
#undef ROWS6
#undef FETCH
#undef STORE

#define LOAD1 VMOVUPD (bp), Y0
#define LOAD2 LOAD1; VMOVUPD 32(bp), Y1

#define MAC1(at, x, z0, z1) VBROADCASTSD at, x; VFMADD231PD Y0, x, z0
#define MAC2(at, x, z0, z1) MAC1(at, x, z0, z1); VFMADD231PD Y1, x, z1

#define ROWS1 MAC((ap), Y2, Y4, Y5)
#define ROWS2 ROWS1; MAC((ap)(ai*1), Y3, Y6, Y7)
#define ROWS3 ROWS2; MAC((ap)(ai*2), Y2, Y8, Y9)
#define ROWS4 ROWS3; MAC((ap)(ai3*1), Y3, Y10, Y11)
#define ROWS5 ROWS4; MAC((ap)(ai*4), Y2, Y12, Y13)
#define ROWS6 ROWS5; MAC((ap)(ai5*1), Y3, Y14, Y15)

#define FETCH(z0, z1) \
	VMOVUPD (zp), z0           \
	CMPQ cols, $4              \
	JEQ  2(PC)                 \
	VMOVUPD 32(zp), z1         \
	ADDQ ldz, zp               \
	DECQ rows                  \
	JZ   begin

#define STORE(z0, z1) \
	VMOVUPD z0, (zp)           \
	CMPQ cols, $4              \
	JEQ  2(PC)                 \
	VMOVUPD z1, 32(zp)         \
	ADDQ ldz, zp               \
	DECQ rows                  \
	JZ   done

// func multiplyAVX2(t *tile)
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), R14
	ARGUMENTS
	CMPB tile_more(R14), $0
	JNE  fetch
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPD Y8, Y8, Y8
	VXORPD Y9, Y9, Y9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11
	VXORPD Y12, Y12, Y12
	VXORPD Y13, Y13, Y13
	VXORPD Y14, Y14, Y14
	VXORPD Y15, Y15, Y15
	JMP  begin

fetch:
	FETCH(Y4, Y5)
	FETCH(Y6, Y7)
	FETCH(Y8, Y9)
	FETCH(Y10, Y11)
	FETCH(Y12, Y13)
	FETCH(Y14, Y15)

begin:
	AGAIN
	TESTQ left, left
	JZ    store
	LEAQ  (rows)(cols*2), R14
	CMPQ  R14, $22
	JEQ   loop6x2
	CMPQ  R14, $21
	JEQ   loop5x2
	CMPQ  R14, $20
	JEQ   loop4x2
	CMPQ  R14, $19
	JEQ   loop3x2
	CMPQ  R14, $18
	JEQ   loop2x2
	CMPQ  R14, $17
	JEQ   loop1x2
	CMPQ  R14, $14
	JEQ   loop6x1
	CMPQ  R14, $13
	JEQ   loop5x1
	CMPQ  R14, $12
	JEQ   loop4x1
	CMPQ  R14, $11
	JEQ   loop3x1
	CMPQ  R14, $10
	JEQ   loop2x1
	CMPQ  R14, $9
	JEQ   loop1x1

#define MAC(at, x, z0, z1) MAC2(at, x, z0, z1)
	LOOP(loop6x2, LOAD2, ROWS6)
	LOOP(loop5x2, LOAD2, ROWS5)
	LOOP(loop4x2, LOAD2, ROWS4)
	LOOP(loop3x2, LOAD2, ROWS3)
	LOOP(loop2x2, LOAD2, ROWS2)
	LOOP(loop1x2, LOAD2, ROWS1)

#undef MAC
#define MAC(at, x, z0, z1) MAC1(at, x, z0, z1)
	LOOP(loop6x1, LOAD1, ROWS6)
	LOOP(loop5x1, LOAD1, ROWS5)
	LOOP(loop4x1, LOAD1, ROWS4)
	LOOP(loop3x1, LOAD1, ROWS3)
	LOOP(loop2x1, LOAD1, ROWS2)
	LOOP(loop1x1, LOAD1, ROWS1)

store:
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	STORE(Y12, Y13)
	STORE(Y14, Y15)

done:
	VZEROUPPER
	RET

// Copying a panel of b.

// func copyRowsAVX2(to, from *float64, height, width, toStride, fromStride int)
TEXT ·copyRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ height+16(FP), CX
	MOVQ width+24(FP), DX
	MOVQ toStride+32(FP), R8
	MOVQ fromStride+40(FP), R9
	SHLQ $3, R8
	SHLQ $3, R9

row:
	XORL AX, AX

next:
	VMOVUPD (SI)(AX*8), Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX
	CMPQ    AX, DX
	JLT     next
	ADDQ    R8, DI
	ADDQ    R9, SI
	DECQ    CX
	JNZ     row
	VZEROUPPER
	RET

// Four rows become four columns: pairs within the halves of a register, then
// halves.
#define TRANSPOSE4 \
	VMOVUPD    (SI), Y0          \
	VMOVUPD    (SI)(R9*1), Y1    \
	VMOVUPD    (SI)(R9*2), Y2    \
	VMOVUPD    (SI)(R10*1), Y3   \
	VUNPCKLPD  Y1, Y0, Y4        \
	VUNPCKHPD  Y1, Y0, Y5        \
	VUNPCKLPD  Y3, Y2, Y6        \
	VUNPCKHPD  Y3, Y2, Y7        \
	VPERM2F128 $0x20, Y6, Y4, Y0 \
	VPERM2F128 $0x20, Y7, Y5, Y1 \
	VPERM2F128 $0x31, Y6, Y4, Y2 \
	VPERM2F128 $0x31, Y7, Y5, Y3 \
	VMOVUPD    Y0, (DI)          \
	VMOVUPD    Y1, (DI)(R8*1)    \
	VMOVUPD    Y2, (DI)(R8*2)    \
	VMOVUPD    Y3, (DI)(R11*1)

// func transposeAVX2(to, from *float64, width, toStride, fromStride int)
TEXT ·transposeAVX2(SB), NOSPLIT, $0-40
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ width+16(FP), CX
	MOVQ toStride+24(FP), R8
	MOVQ fromStride+32(FP), R9
	SHLQ $3, R8
	SHLQ $3, R9
	LEAQ (R9)(R9*2), R10
	LEAQ (R8)(R8*2), R11
	SUBQ $4, CX
	JLE  end

next:
	TRANSPOSE4
	ADDQ $32, SI
	LEAQ (DI)(R8*4), DI
	SUBQ $4, CX
	JGT  next

end: // the last four columns, which may have been done in part
	LEAQ  (SI)(CX*8), SI
	IMULQ R8, CX
	ADDQ  CX, DI
	TRANSPOSE4
	VZEROUPPER
	RET

// The elementwise steps: four elements a turn, which memory bounds, so that AVX-512
// would add nothing. But the gradient by which weights are updated is in the cache:
// with eight a turn it and the update took 266 µs for 784×256 on Zen 5, 277 with four,
// and to gather 64 images 10 and 13.

// func addAVX2(z, x []float64)
TEXT ·addAVX2(SB), NOSPLIT, $0-48
	MOVQ z_base+0(FP), DI
	MOVQ z_len+8(FP), CX
	MOVQ x_base+24(FP), SI
	XORL AX, AX
	JMP  test

next:
	VMOVUPD (DI)(AX*8), Y0
	VADDPD  (SI)(AX*8), Y0, Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func reluAVX2(z []float64)
TEXT ·reluAVX2(SB), NOSPLIT, $0-24
	MOVQ   z_base+0(FP), DI
	MOVQ   z_len+8(FP), CX
	VXORPD Y1, Y1, Y1
	XORL   AX, AX
	JMP    test

next:
	VMAXPD  (DI)(AX*8), Y1, Y0 // of NaN or two zeros MAXPD takes the operand in memory
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func reluBackAVX2(dz, a []float64)
TEXT ·reluBackAVX2(SB), NOSPLIT, $0-48
	MOVQ         dz_base+0(FP), DI
	MOVQ         dz_len+8(FP), CX
	MOVQ         a_base+24(FP), SI
	VXORPD       Y1, Y1, Y1
	MOVQ         $0x3ff0000000000000, AX // 1.0
	MOVQ         AX, X2
	VBROADCASTSD X2, Y2
	XORL         AX, AX
	JMP          test

next:
	VCMPPD  $1, (SI)(AX*8), Y1, Y0 // 0 < a
	VANDPD  Y2, Y0, Y0
	VMULPD  (DI)(AX*8), Y0, Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func axpyAVX2(z, x []float64, s float64)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-56
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	MOVQ         x_base+24(FP), SI
	VBROADCASTSD s+48(FP), Y1
	XORL         AX, AX
	JMP          test

next:
	VMOVUPD     (DI)(AX*8), Y0
	VFMADD231PD (SI)(AX*8), Y1, Y0
	VMOVUPD     Y0, (DI)(AX*8)
	ADDQ        $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func axpyAVX512(z, x []float64, s float64)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-56
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	MOVQ         x_base+24(FP), SI
	VBROADCASTSD s+48(FP), Z1
	SUBQ         $8, CX
	JLT          rest

next:
	VMOVUPD     (DI), Z0
	VFMADD231PD (SI), Z1, Z0
	VMOVUPD     Z0, (DI)
	ADDQ        $64, DI
	ADDQ        $64, SI
	SUBQ        $8, CX
	JGE         next

rest: // fewer than eight
	ADDQ        $8, CX
	JZ          done
	MOVQ        $-1, AX
	BZHIQ       CX, AX, AX
	KMOVW       AX, K1
	VMOVUPD.Z   (DI), K1, Z0
	VMOVUPD.Z   (SI), K1, Z2
	VFMADD231PD Z2, Z1, Z0
	VMOVUPD     Z0, K1, (DI)

done:
	VZEROUPPER
	RET

// func xpayAVX2(z, x []float64, s float64)
TEXT ·xpayAVX2(SB), NOSPLIT, $0-56
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	MOVQ         x_base+24(FP), SI
	VBROADCASTSD s+48(FP), Y1
	XORL         AX, AX
	JMP          test

next:
	VMOVUPD     (DI)(AX*8), Y0
	VFMADD213PD (SI)(AX*8), Y1, Y0
	VMOVUPD     Y0, (DI)(AX*8)
	ADDQ        $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// Adam's three divisions and root take as long for eight numbers as for four on
// Zen 5: 0.8 ns for each weight, and 1.5 in registers of 256 bits.

#define FACTORS(beta1, rest1, beta2, rest2, correct1, correct2, epsilon, rate) \
	VBROADCASTSD adamFactors_beta1(R10), beta1       \
	VBROADCASTSD adamFactors_rest1(R10), rest1       \
	VBROADCASTSD adamFactors_beta2(R10), beta2       \
	VBROADCASTSD adamFactors_rest2(R10), rest2       \
	VBROADCASTSD adamFactors_correct1(R10), correct1 \
	VBROADCASTSD adamFactors_correct2(R10), correct2 \
	VBROADCASTSD adamFactors_epsilon(R10), epsilon   \
	VBROADCASTSD adamFactors_rate(R10), rate

// m and v take the gradient in, in x and y, and w moves.
#define ADAM(g, x, y, beta1, rest1, beta2, rest2, correct1, correct2, epsilon, rate) \
	VMOVUPD     (SI)(AX*8), g        \
	VMULPD      g, rest1, x          \
	VFMADD231PD (R8)(AX*8), beta1, x \
	VMOVUPD     x, (R8)(AX*8)        \
	VMULPD      g, rest2, y          \
	VMULPD      g, y, y              \
	VFMADD231PD (R9)(AX*8), beta2, y \
	VMOVUPD     y, (R9)(AX*8)        \
	VDIVPD      correct1, x, x       \
	VDIVPD      correct2, y, y       \
	VSQRTPD     y, y                 \
	VADDPD      epsilon, y, y        \
	VDIVPD      y, x, x              \
	VMOVUPD     (DI)(AX*8), y        \
	VFMADD231PD x, rate, y           \
	VMOVUPD     y, (DI)(AX*8)

// func adamAVX2(w, g, m, v []float64, f *adamFactors)
TEXT ·adamAVX2(SB), NOSPLIT, $0-104
	MOVQ w_base+0(FP), DI
	MOVQ w_len+8(FP), CX
	MOVQ g_base+24(FP), SI
	MOVQ m_base+48(FP), R8
	MOVQ v_base+72(FP), R9
	MOVQ f+96(FP), R10
	XORL AX, AX
	FACTORS(Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)
	JMP  test

next:
	ADAM(Y0, Y1, Y2, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15)
	ADDQ $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func adamAVX512(w, g, m, v []float64, f *adamFactors)
TEXT ·adamAVX512(SB), NOSPLIT, $0-104
	MOVQ w_base+0(FP), DI
	MOVQ w_len+8(FP), CX
	MOVQ g_base+24(FP), SI
	MOVQ m_base+48(FP), R8
	MOVQ v_base+72(FP), R9
	MOVQ f+96(FP), R10
	XORL AX, AX
	FACTORS(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	JMP  test

next:
	ADAM(Z0, Z1, Z2, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ADDQ $8, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func bytesAVX2(z []float64, p []byte, scale, shift []float64)
TEXT ·bytesAVX2(SB), NOSPLIT, $0-96
	MOVQ z_base+0(FP), DI
	MOVQ z_len+8(FP), CX
	MOVQ p_base+24(FP), SI
	MOVQ scale_base+48(FP), R8
	MOVQ shift_base+72(FP), R9
	XORL AX, AX
	JMP  test

next:
	VPMOVZXBD   (SI)(AX*1), X0
	VCVTDQ2PD   X0, Y0
	VMOVUPD     (R8)(AX*8), Y1
	VFMADD213PD (R9)(AX*8), Y1, Y0
	VMOVUPD     Y0, (DI)(AX*8)
	ADDQ        $4, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func bytesAVX512(z []float64, p []byte, scale, shift []float64)
TEXT ·bytesAVX512(SB), NOSPLIT, $0-96
	MOVQ z_base+0(FP), DI
	MOVQ z_len+8(FP), CX
	MOVQ p_base+24(FP), SI
	MOVQ scale_base+48(FP), R8
	MOVQ shift_base+72(FP), R9
	XORL AX, AX
	JMP  test

next:
	VPMOVZXBD   (SI)(AX*1), Y0
	VCVTDQ2PD   Y0, Z0
	VMOVUPD     (R8)(AX*8), Z1
	VFMADD213PD (R9)(AX*8), Z1, Z0
	VMOVUPD     Z0, (DI)(AX*8)
	ADDQ        $8, AX

test:
	CMPQ AX, CX
	JLT  next
	VZEROUPPER
	RET

// func prefetch(p []byte)
TEXT ·prefetch(SB), NOSPLIT, $0-24
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), CX
	ADDQ SI, CX
	JMP  test

next:
	PREFETCHT0 (SI)
	ADDQ       $64, SI

test:
	CMPQ SI, CX
	JLT  next
	RET

// The exponential. Y8 to Y15 hold constants, and each step is that of exp,
// reduce, power, sigmoid and tanh in mat_generic.go.

#define LOG2E     ·expTable+0(SB)
#define WHOLE     ·expTable+8(SB)
#define LN2HI     ·expTable+16(SB)
#define LN2LO     ·expTable+24(SB)
#define ONE       ·expTable+32(SB)
#define EXPLOW    ·expTable+40(SB)
#define EXPHIGH   ·expTable+48(SB)
#define TANHHIGH  ·expTable+56(SB)
#define HALF      ·expTable+64(SB)
#define TWO       ·expTable+72(SB)
#define MINUSZERO ·expTable+80(SB)

#define CONSTANTS \
	VBROADCASTSD LOG2E, Y8      \
	VBROADCASTSD WHOLE, Y9      \
	VBROADCASTSD LN2HI, Y10     \
	VBROADCASTSD LN2LO, Y11     \
	VBROADCASTSD ONE, Y12       \
	VBROADCASTSD MINUSZERO, Y13

#define TERM(i) \
	VBROADCASTSD ·taylor+8*i(SB), Y4 \
	VFMADD213PD  Y4, Y3, Y2

// e^Y0 = 2^Y1·(1+Y2)
#define REDUCE \
	VMOVAPD      Y9, Y1              \
	VFMADD231PD  Y0, Y8, Y1          \
	VSUBPD       Y9, Y1, Y1          \
	VMOVAPD      Y0, Y3              \
	VFNMADD231PD Y10, Y1, Y3         \
	VFNMADD231PD Y11, Y1, Y3         \
	VBROADCASTSD ·taylor+8*11(SB), Y2 \
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
	VMULPD       Y3, Y2, Y2          \
	VFMADD213PD  Y3, Y3, Y2

// power = 2^n: the low bits of n + WHOLE become the exponent.
#define POWER(n, power) \
	VADDPD Y9, n, power          \
	VPSLLQ $52, power, power     \
	VPADDQ Y12, power, power

// Y0 = e^Y0, where Y0 is no NaN; Y14 is EXPLOW.
#define EXP \
	VMAXPD       Y14, Y0, Y0     \
	REDUCE                       \
	VBROADCASTSD HALF, Y3        \
	VMULPD       Y3, Y1, Y3      \
	VROUNDPD     $1, Y3, Y3      \
	VSUBPD       Y3, Y1, Y1      \
	POWER(Y3, Y3)                \
	POWER(Y1, Y1)                \
	VADDPD       Y2, Y12, Y0     \
	VMULPD       Y3, Y0, Y0      \
	VMULPD       Y1, Y0, Y0

// Y0 = Y5 where that is not a number.
#define KEEPNAN \
	VCMPPD    $3, Y5, Y5, Y6     \
	VBLENDVPD Y6, Y5, Y0, Y0

// func expAVX2(z []float64)
TEXT ·expAVX2(SB), NOSPLIT, $0-24
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	CONSTANTS
	VBROADCASTSD EXPLOW, Y14
	VBROADCASTSD EXPHIGH, Y15

next:
	VMOVUPD (DI), Y5
	VMINPD  Y15, Y5, Y0
	EXP
	KEEPNAN
	VMOVUPD Y0, (DI)
	ADDQ    $32, DI
	SUBQ    $4, CX
	JNZ     next
	VZEROUPPER
	RET

// func sigmoidAVX2(z []float64)
TEXT ·sigmoidAVX2(SB), NOSPLIT, $0-24
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	CONSTANTS
	VBROADCASTSD EXPLOW, Y14

next:
	VMOVUPD   (DI), Y5
	VORPD     Y13, Y5, Y0
	EXP
	VADDPD    Y0, Y12, Y1
	VBLENDVPD Y5, Y0, Y12, Y0 // e where x is negative, 1 where not
	VDIVPD    Y1, Y0, Y0
	KEEPNAN
	VMOVUPD   Y0, (DI)
	ADDQ      $32, DI
	SUBQ      $4, CX
	JNZ       next
	VZEROUPPER
	RET

// func tanhAVX2(z []float64)
TEXT ·tanhAVX2(SB), NOSPLIT, $0-24
	MOVQ         z_base+0(FP), DI
	MOVQ         z_len+8(FP), CX
	CONSTANTS
	VBROADCASTSD TANHHIGH, Y14
	VBROADCASTSD TWO, Y15

next:
	VMOVUPD     (DI), Y5
	VANDNPD     Y5, Y13, Y0
	VMINPD      Y14, Y0, Y0
	VADDPD      Y0, Y0, Y0
	REDUCE
	POWER(Y1, Y1)
	VSUBPD      Y12, Y1, Y0
	VFMADD231PD Y1, Y2, Y0
	VADDPD      Y15, Y0, Y1
	VDIVPD      Y1, Y0, Y0
	VANDPD      Y13, Y5, Y1
	VORPD       Y1, Y0, Y0
	KEEPNAN
	VMOVUPD     Y0, (DI)
	ADDQ        $32, DI
	SUBQ        $4, CX
	JNZ         next
	VZEROUPPER
	RET

// func sigmoidBackAVX2(dz, a []float64)
TEXT ·sigmoidBackAVX2(SB), NOSPLIT, $0-48
	MOVQ         dz_base+0(FP), DI
	MOVQ         dz_len+8(FP), CX
	MOVQ         a_base+24(FP), SI
	VBROADCASTSD ONE, Y12
	XORL         AX, AX

next:
	VMOVUPD (SI)(AX*8), Y0
	VSUBPD  Y0, Y12, Y1
	VMULPD  Y1, Y0, Y0
	VMULPD  (DI)(AX*8), Y0, Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX
	CMPQ    AX, CX
	JLT     next
	VZEROUPPER
	RET

// func tanhBackAVX2(dz, a []float64)
TEXT ·tanhBackAVX2(SB), NOSPLIT, $0-48
	MOVQ         dz_base+0(FP), DI
	MOVQ         dz_len+8(FP), CX
	MOVQ         a_base+24(FP), SI
	VBROADCASTSD ONE, Y12
	XORL         AX, AX

next:
	VMOVUPD (SI)(AX*8), Y0
	VMULPD  Y0, Y0, Y0
	VSUBPD  Y0, Y12, Y0
	VMULPD  (DI)(AX*8), Y0, Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX
	CMPQ    AX, CX
	JLT     next
	VZEROUPPER
	RET
