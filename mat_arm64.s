// The micro-kernel for arm64, whose processors all have NEON. As on amd64, every element
// of z is one chain of fused multiply-adds over p in one lane of one register, and its bits
// are those of mat_generic.go.

//go:build arm64 && !purego

#include "go_asm.h"
#include "textflag.h"

// The register tile is 4×12: 4 rows of three vectors. Here a pair of registers is called a
// vector: one instruction loads or stores its 4 columns. The registers are called V0 to V31 in
// vector instructions and F0 to F31 in loads and stores.
//
//	                        columns of z and b
//	                       0 to 3    4 to 7    8 to 11
//	                     ┌─────────┬─────────┬─────────┐
//	           row p of b│ V0,V1   │ V2,V3   │ V4,V5   │
//	                     └─────────┴─────────┴─────────┘
//	   element of a      ┌─────────┬─────────┬─────────┐
//	   (0, p) in V6      │ V8,V9   │ V10,V11 │ V12,V13 │ row 0 of z
//	   (1, p) in V7      │ V14,V15 │ V16,V17 │ V18,V19 │
//	   (2, p) in V6      │ V20,V21 │ V22,V23 │ V24,V25 │
//	   (3, p) in V7      │ V26,V27 │ V28,V29 │ V30,V31 │ row 3 of z
//	                     └─────────┴─────────┴─────────┘
//
// A tile may have fewer rows, but its vectors are always full.
#define args R0
#define zp   R1  // z's row that is being moved
#define a0   R2  // addresses of a's elements (0, p) to (3, p)
#define a1   R3
#define a2   R4
#define a3   R5
#define bp   R6  // b's row p
#define ldz  R7  // bytes from one row of z to the next
#define ai   R8  // elements from one row of a to the next
#define ak   R9  // bytes from one column of a to the next
#define bk   R10 // bytes from one row of b to the next
#define left R11 // terms that are still to come, or rows of z still to be moved
#define rows R12 // the tile's rows, 1 to MR
#define cols R13 // the columns of the tile and those behind it, a multiple of 4

#define RESULT \
	MOVD tileRow_z(args), zp       \
	MOVD tileRow_ldz(args), ldz    \
	MOVD rows, left             \
	LSL  $3, ldz

#define OPERANDS \
	MOVD tileRow_a(args), a0       \
	MOVD tileRow_b(args), bp       \
	MOVD tileRow_k(args), left     \
	MOVD tileRow_ai(args), ai      \
	MOVD tileRow_ak(args), ak      \
	MOVD tileRow_bk(args), bk      \
	LSL  $3, ak                 \
	LSL  $3, bk                 \
	ADD  ai<<3, a0, a1          \
	ADD  ai<<3, a1, a2          \
	ADD  ai<<3, a2, a3

#define ZERO(z0, z1, z2, z3, z4, z5) \
	VEOR z0.B16, z0.B16, z0.B16 \
	VEOR z1.B16, z1.B16, z1.B16 \
	VEOR z2.B16, z2.B16, z2.B16 \
	VEOR z3.B16, z3.B16, z3.B16 \
	VEOR z4.B16, z4.B16, z4.B16 \
	VEOR z5.B16, z5.B16, z5.B16

#define TILE(STEP) \
	STEP(F8, F9, F10, F11, F12, F13)    \
	STEP(F14, F15, F16, F17, F18, F19)  \
	STEP(F20, F21, F22, F23, F24, F25)  \
	STEP(F26, F27, F28, F29, F30, F31)

#define LOAD(z0, z1, z2, z3, z4, z5) \
	FLDPQ (zp), (z0, z1)        \
	CMP   $8, cols              \
	BLT   2(PC)                 \
	FLDPQ 32(zp), (z2, z3)      \
	BLE   2(PC)                 \
	FLDPQ 64(zp), (z4, z5)      \
	ADD   ldz, zp               \
	SUB   $1, left              \
	CBZ   left, sums

#define STORE(z0, z1, z2, z3, z4, z5) \
	FSTPQ (z0, z1), (zp)        \
	CMP   $8, cols              \
	BLT   2(PC)                 \
	FSTPQ (z2, z3), 32(zp)      \
	BLE   2(PC)                 \
	FSTPQ (z4, z5), 64(zp)      \
	ADD   ldz, zp               \
	SUB   $1, left              \
	CBZ   left, done

#define LOADB1 FLDPQ (bp), (F0, F1)
#define LOADB2 LOADB1; FLDPQ 32(bp), (F2, F3)
#define LOADB3 LOADB2; FLDPQ 64(bp), (F4, F5)

// z += a·b for one row of the tile.
#define FMA1(at, a, z0, z1, z2, z3, z4, z5) \
	VLD1R.P (at)(ak), [a.D2]    \
	VFMLA   V0.D2, a.D2, z0.D2  \
	VFMLA   V1.D2, a.D2, z1.D2

#define FMA2(at, a, z0, z1, z2, z3, z4, z5) \
	FMA1(at, a, z0, z1, z2, z3, z4, z5) \
	VFMLA V2.D2, a.D2, z2.D2    \
	VFMLA V3.D2, a.D2, z3.D2

#define FMA3(at, a, z0, z1, z2, z3, z4, z5) \
	FMA2(at, a, z0, z1, z2, z3, z4, z5) \
	VFMLA V4.D2, a.D2, z4.D2    \
	VFMLA V5.D2, a.D2, z5.D2

// LOOP runs over p: it loads b's row and accumulates in each row of the tile. END
// stands between the rows: EVERYROW for tiles of 4 rows, LASTROW for lower ones.
#define LOOP(loop, next, LOADB, FMA, END) \
loop:                           \
	LOADB                       \
	FMA(a0, V6, V8, V9, V10, V11, V12, V13)    \
	END(1, next)                \
	FMA(a1, V7, V14, V15, V16, V17, V18, V19)  \
	END(2, next)                \
	FMA(a2, V6, V20, V21, V22, V23, V24, V25)  \
	END(3, next)                \
	FMA(a3, V7, V26, V27, V28, V29, V30, V31)  \
next:                           \
	ADD  bk, bp                 \
	SUB  $1, left               \
	CBNZ left, loop             \
	B    store

#define EVERYROW(n, next)
#define LASTROW(n, next) CMP $n, rows; BEQ next

// func microKernelNEON(t *tileRow)
TEXT ·microKernelNEON(SB), NOSPLIT, $0-8
	MOVD  t+0(FP), args

tile:
	MOVD  tileRow_rows(args), rows
	MOVD  tileRow_cols(args), cols
	MOVBU tileRow_accumulate(args), left
	CBNZ  left, load
	ZERO(V8, V9, V10, V11, V12, V13)
	ZERO(V14, V15, V16, V17, V18, V19)
	ZERO(V20, V21, V22, V23, V24, V25)
	ZERO(V26, V27, V28, V29, V30, V31)
	B     sums

load:
	RESULT
	TILE(LOAD)

sums:
	OPERANDS
	CBZ left, store
	CMP $8, cols
	BLT onevector
	BEQ twovectors
	CMP $const_mrNEON, rows
	BNE low3
	LOOP(full3, full3next, LOADB3, FMA3, EVERYROW)
	LOOP(low3, low3next, LOADB3, FMA3, LASTROW)

twovectors:
	CMP $const_mrNEON, rows
	BNE low2
	LOOP(full2, full2next, LOADB2, FMA2, EVERYROW)
	LOOP(low2, low2next, LOADB2, FMA2, LASTROW)

onevector:
	CMP $const_mrNEON, rows
	BNE low1
	LOOP(full1, full1next, LOADB1, FMA1, EVERYROW)
	LOOP(low1, low1next, LOADB1, FMA1, LASTROW)

store:
	RESULT
	TILE(STORE)

done:
	SUBS $const_nrNEON, cols
	BLE  end
	MOVD cols, tileRow_cols(args)
	MOVD tileRow_z(args), zp
	ADD  $(8*const_nrNEON), zp
	MOVD zp, tileRow_z(args)
	MOVD tileRow_b(args), bp
	MOVD tileRow_next(args), left
	ADD  left<<3, bp
	MOVD bp, tileRow_b(args)
	B    tile

end:
	RET

// func pause()
TEXT ·pause(SB), NOSPLIT, $0-0
	YIELD
	RET
