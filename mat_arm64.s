// The product kernel for arm64, where NEON is always there. As on amd64, an
// element of z is one chain of fused multiply-adds over p in one lane of one
// register, so the bits are those of mat_generic.go.

//go:build arm64 && !purego

#include "go_asm.h"
#include "textflag.h"

// The kernel holds a tile of z in registers and, for each p, loads a row of b
// and multiplies it by one element of a after another. A vector is a pair of
// registers, four columns: 4 rows by 3 vectors fill V8 to V31, b's row is in V0
// to V5, and V6 and V7 take turns at holding an element of a, in both lanes.

#define tp   R0  // the tile
#define zp   R1  // its first element, then the row being moved
#define a0   R2  // a's elements (0, p) to (3, p)
#define a1   R3
#define a2   R4
#define a3   R5
#define bp   R6  // b's row p
#define ldz  R7  // strides in bytes
#define ai   R8
#define ak   R9
#define bk   R10
#define left R11 // terms to come
#define rows R12
#define cols R13
#define size R14 // rows + cols, which tells the loop

#define LOAD1 FLDPQ (bp), (F0, F1)
#define LOAD2 LOAD1; FLDPQ 32(bp), (F2, F3)
#define LOAD3 LOAD2; FLDPQ 64(bp), (F4, F5)

#define MAC1(at, x, z0, z1, z2, z3, z4, z5) \
	VLD1R.P (at)(ak), [x.D2]     \
	VFMLA   V0.D2, x.D2, z0.D2   \
	VFMLA   V1.D2, x.D2, z1.D2

#define MAC2(at, x, z0, z1, z2, z3, z4, z5) \
	MAC1(at, x, z0, z1, z2, z3, z4, z5) \
	VFMLA V2.D2, x.D2, z2.D2     \
	VFMLA V3.D2, x.D2, z3.D2

#define MAC3(at, x, z0, z1, z2, z3, z4, z5) \
	MAC2(at, x, z0, z1, z2, z3, z4, z5) \
	VFMLA V4.D2, x.D2, z4.D2     \
	VFMLA V5.D2, x.D2, z5.D2

#define ROWS1 MAC(a0, V6, V8, V9, V10, V11, V12, V13)
#define ROWS2 ROWS1; MAC(a1, V7, V14, V15, V16, V17, V18, V19)
#define ROWS3 ROWS2; MAC(a2, V6, V20, V21, V22, V23, V24, V25)
#define ROWS4 ROWS3; MAC(a3, V7, V26, V27, V28, V29, V30, V31)

// One loop over p: a row of b, then the rows of the tile.
#define LOOP(label, LOAD, ROWS) \
label:                      \
	LOAD                    \
	ROWS                    \
	ADD  bk, bp             \
	SUB  $1, left           \
	CBNZ left, label        \
	B    store

#define ZERO(z0, z1, z2, z3, z4, z5) \
	VEOR z0.B16, z0.B16, z0.B16 \
	VEOR z1.B16, z1.B16, z1.B16 \
	VEOR z2.B16, z2.B16, z2.B16 \
	VEOR z3.B16, z3.B16, z3.B16 \
	VEOR z4.B16, z4.B16, z4.B16 \
	VEOR z5.B16, z5.B16, z5.B16

#define FETCH(z0, z1, z2, z3, z4, z5) \
	FLDPQ (zp), (z0, z1)        \
	CMP   $8, cols              \
	BLT   2(PC)                 \
	FLDPQ 32(zp), (z2, z3)      \
	BLE   2(PC)                 \
	FLDPQ 64(zp), (z4, z5)      \
	ADD   ldz, zp               \
	SUB   $1, rows              \
	CBZ   rows, begin

#define STORE(z0, z1, z2, z3, z4, z5) \
	FSTPQ (z0, z1), (zp)        \
	CMP   $8, cols              \
	BLT   2(PC)                 \
	FSTPQ (z2, z3), 32(zp)      \
	BLE   2(PC)                 \
	FSTPQ (z4, z5), 64(zp)      \
	ADD   ldz, zp               \
	SUB   $1, rows              \
	CBZ   rows, done

// func multiplyNEON(t *tile)
TEXT ·multiplyNEON(SB), NOSPLIT, $0-8
	MOVD  t+0(FP), tp
	MOVD  tile_z(tp), zp
	MOVD  tile_a(tp), a0
	MOVD  tile_b(tp), bp
	MOVD  tile_ldz(tp), ldz
	MOVD  tile_ai(tp), ai
	MOVD  tile_ak(tp), ak
	MOVD  tile_bk(tp), bk
	MOVD  tile_k(tp), left
	MOVD  tile_rows(tp), rows
	MOVD  tile_cols(tp), cols
	LSL   $3, ldz
	LSL   $3, ak
	LSL   $3, bk
	ADD   ai<<3, a0, a1
	ADD   ai<<3, a1, a2
	ADD   ai<<3, a2, a3
	MOVBU tile_more(tp), size
	CBNZ  size, fetch
	ZERO(V8, V9, V10, V11, V12, V13)
	ZERO(V14, V15, V16, V17, V18, V19)
	ZERO(V20, V21, V22, V23, V24, V25)
	ZERO(V26, V27, V28, V29, V30, V31)
	B     begin

fetch:
	FETCH(F8, F9, F10, F11, F12, F13)
	FETCH(F14, F15, F16, F17, F18, F19)
	FETCH(F20, F21, F22, F23, F24, F25)
	FETCH(F26, F27, F28, F29, F30, F31)

begin:
	MOVD tile_z(tp), zp
	MOVD tile_rows(tp), rows
	CBZ  left, store
	ADD  rows, cols, size
	CMP  $16, size
	BEQ  loop4x3
	CMP  $15, size
	BEQ  loop3x3
	CMP  $14, size
	BEQ  loop2x3
	CMP  $13, size
	BEQ  loop1x3
	CMP  $12, size
	BEQ  loop4x2
	CMP  $11, size
	BEQ  loop3x2
	CMP  $10, size
	BEQ  loop2x2
	CMP  $9, size
	BEQ  loop1x2
	CMP  $8, size
	BEQ  loop4x1
	CMP  $7, size
	BEQ  loop3x1
	CMP  $6, size
	BEQ  loop2x1
	CMP  $5, size
	BEQ  loop1x1

#define MAC(at, x, z0, z1, z2, z3, z4, z5) MAC3(at, x, z0, z1, z2, z3, z4, z5)
	LOOP(loop4x3, LOAD3, ROWS4)
	LOOP(loop3x3, LOAD3, ROWS3)
	LOOP(loop2x3, LOAD3, ROWS2)
	LOOP(loop1x3, LOAD3, ROWS1)

#undef MAC
#define MAC(at, x, z0, z1, z2, z3, z4, z5) MAC2(at, x, z0, z1, z2, z3, z4, z5)
	LOOP(loop4x2, LOAD2, ROWS4)
	LOOP(loop3x2, LOAD2, ROWS3)
	LOOP(loop2x2, LOAD2, ROWS2)
	LOOP(loop1x2, LOAD2, ROWS1)

#undef MAC
#define MAC(at, x, z0, z1, z2, z3, z4, z5) MAC1(at, x, z0, z1, z2, z3, z4, z5)
	LOOP(loop4x1, LOAD1, ROWS4)
	LOOP(loop3x1, LOAD1, ROWS3)
	LOOP(loop2x1, LOAD1, ROWS2)
	LOOP(loop1x1, LOAD1, ROWS1)

store:
	STORE(F8, F9, F10, F11, F12, F13)
	STORE(F14, F15, F16, F17, F18, F19)
	STORE(F20, F21, F22, F23, F24, F25)
	STORE(F26, F27, F28, F29, F30, F31)

done:
	RET
