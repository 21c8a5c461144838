// The micro-kernels for AVX-512 and AVX2, and the packing of b.
//
// A micro-kernel computes a row of tiles, one after another. A tile, MR×NR elements of z,
// lies in vector registers. For each p the micro-kernel loads row p of b, NR elements, and
// multiplies it by one element of a after another, each broadcast to all lanes of a
// register. So every element of z is one chain of fused multiply-adds over p in one lane of
// one register, and its bits are those of mat_generic.go.

//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of both micro-kernels. DI, DX and CX have one role in the sums and another in
// the moving of z. BP, R14 and R15 are left to Go.
#define args     AX
#define rows     BX  // the tile's rows, 1 to MR
#define bk3      BX  // in a full tile: three times bk
#define left     CX  // terms that are still to come, or rows of z still to be moved
#define zp       DI  // z's row that is being moved
#define ldz      DX  // bytes from one row of z to the next
#define bp       DX  // during the sums: b's row p
#define ap       SI  // a's element (0, p)
#define ai       R8  // bytes from one row of a to the next, and multiples of that
#define ai3      R9
#define ak3      R9  // if a's columns are contiguous: three times ak
#define ai5      R10
#define ai7      R11
#define ak       R12 // bytes from one column of a to the next
#define bk       R13 // bytes from one row of b to the next

#define RESULT \
	MOVQ tileRow_z(args), zp      \
	MOVQ tileRow_ldz(args), ldz   \
	MOVQ tileRow_rows(args), left \
	SHLQ $3, ldz

#define OPERANDS \
	MOVQ tileRow_a(args), ap   \
	MOVQ tileRow_b(args), bp   \
	MOVQ tileRow_k(args), left \
	MOVQ tileRow_ai(args), ai  \
	MOVQ tileRow_ak(args), ak  \
	MOVQ tileRow_bk(args), bk  \
	SHLQ $3, ai                \
	SHLQ $3, ak                \
	SHLQ $3, bk                \
	LEAQ (ai)(ai*2), ai3       \
	LEAQ (ai)(ai*4), ai5       \
	LEAQ (ai3)(ai*4), ai7

// LOOP runs over p: it loads b's row and accumulates in each row of the tile. END stands
// after each row of the tile. EVERYROW, for tiles of MR rows, is empty. LASTROW, for lower
// tiles, jumps to next after the tile's last row.
#define LOOP(loop, next, LOADB, ACROSS, FMA, END) \
loop:                         \
	LOADB                     \
	ACROSS(FMA, 0, END, next) \
next:                         \
	ADDQ ak, ap               \
	ADDQ bk, bp               \
	DECQ left                 \
	JNZ  loop                 \
	JMP  store

#define EVERYROW(n, next)
#define LASTROW(n, next) CMPQ rows, $n; JEQ next

// FULLTILE runs over p in a tile of MR rows, four terms at a time as long as four are left,
// which saves instructions that count and advance. The terms that are left, and all if
// neither a's rows nor its columns are contiguous, take one at a time, at single. If a's
// rows are contiguous, element (i, p+1) lies 8 bytes behind element (i, p), and ACROSS
// accumulates. If a's columns are, element (i+1, p) lies 8 bytes behind element (i, p),
// and DOWN does.
#define FULLTILE(across, down, single, LOADB, ACROSS, DOWN, FMA) \
	LEAQ (bk)(bk*2), bk3            \
	SUBQ $4, left                   \
	JL   single                     \
	CMPQ ak, $8                     \
	JEQ  across                     \
	CMPQ ai, $8                     \
	JNE  single                     \
	LEAQ (ak)(ak*2), ak3            \
down:                               \
	LOADB((bp))                     \
	DOWN(FMA, (ap))                 \
	LOADB((bp)(bk*1))               \
	DOWN(FMA, (ap)(ak*1))           \
	LOADB((bp)(bk*2))               \
	DOWN(FMA, (ap)(ak*2))           \
	LOADB((bp)(bk3*1))              \
	DOWN(FMA, (ap)(ak3*1))          \
	LEAQ (ap)(ak*4), ap             \
	LEAQ (bp)(bk*4), bp             \
	SUBQ $4, left                   \
	JGE  down                       \
	LEAQ (ai)(ai*2), ai3            \
	JMP  single                     \
across:                             \
	LOADB((bp))                     \
	ACROSS(FMA, 0, EVERYROW, none)  \
	LOADB((bp)(bk*1))               \
	ACROSS(FMA, 8, EVERYROW, none)  \
	LOADB((bp)(bk*2))               \
	ACROSS(FMA, 16, EVERYROW, none) \
	LOADB((bp)(bk3*1))              \
	ACROSS(FMA, 24, EVERYROW, none) \
	ADDQ $32, ap                    \
	LEAQ (bp)(bk*4), bp             \
	SUBQ $4, left                   \
	JGE  across                     \
	JMP  single

// NEXTTILE goes on with the next tile of the row, or returns after the last.
#define NEXTTILE(nr) \
	SUBQ $nr, tileRow_cols(args)  \
	JLE  end                      \
	MOVQ tileRow_next(args), CX   \
	ADDQ $(8*nr), tileRow_z(args) \
	SHLQ $3, CX                   \
	ADDQ CX, tileRow_b(args)      \
	JMP  tile                     \
end:                                  \
	VZEROUPPER                    \
	RET

// The register tile of AVX-512 is 8×24: 8 rows of three vectors of 8 columns.
//
//	                             columns of z and b
//	                       0 to 7    8 to 15   16 to 23
//	                     ┌─────────┬─────────┬─────────┐
//	           row p of b│   Z0    │   Z1    │   Z2    │
//	                     └─────────┴─────────┴─────────┘
//	   element of a      ┌─────────┬─────────┬─────────┐
//	   (0, p) in Z3      │   Z8    │   Z9    │   Z10   │ row 0 of z
//	   (1, p) in Z4      │   Z11   │   Z12   │   Z13   │
//	   (2, p) in Z5      │   Z14   │   Z15   │   Z16   │
//	   (3, p) in Z6      │   Z17   │   Z18   │   Z19   │
//	   (4, p) in Z7      │   Z20   │   Z21   │   Z22   │
//	   (5, p) in Z3      │   Z23   │   Z24   │   Z25   │
//	   (6, p) in Z4      │   Z26   │   Z27   │   Z28   │
//	   (7, p) in Z5      │   Z29   │   Z30   │   Z31   │ row 7 of z
//	                     └─────────┴─────────┴─────────┘
//
// A tile may have fewer rows and columns. K1 to K3 select the columns that it has in each
// vector. Loads of b and z and stores of z use them, so that nothing beyond the last
// column is touched.
#define ZTILE(STEP) \
	STEP(Z8, Z9, Z10)         \
	STEP(Z11, Z12, Z13)       \
	STEP(Z14, Z15, Z16)       \
	STEP(Z17, Z18, Z19)       \
	STEP(Z20, Z21, Z22)       \
	STEP(Z23, Z24, Z25)       \
	STEP(Z26, Z27, Z28)       \
	STEP(Z29, Z30, Z31)

#define ZZERO(z0, z1, z2) \
	VPXORQ z0, z0, z0         \
	VPXORQ z1, z1, z1         \
	VPXORQ z2, z2, z2

// The rows of z eight rows below are prefetched for the next row of tiles.
#define ZLOAD(z0, z1, z2) \
	VMOVUPD.Z  (zp), K1, z0    \
	VMOVUPD.Z  64(zp), K2, z1  \
	VMOVUPD.Z  128(zp), K3, z2 \
	PREFETCHT1 (zp)(ldz*8)     \
	PREFETCHT1 64(zp)(ldz*8)   \
	PREFETCHT1 128(zp)(ldz*8)  \
	ADDQ       ldz, zp         \
	DECQ       left            \
	JZ         sums

// A store with an empty mask still takes the time of a store. So there is a form for each
// number of vectors.
#define ZNEXT ADDQ ldz, zp; DECQ left; JZ done
#define ZSTORE1(z0, z1, z2) VMOVUPD z0, K1, (zp); ZNEXT
#define ZSTORE2(z0, z1, z2) VMOVUPD z0, (zp); VMOVUPD z1, K2, 64(zp); ZNEXT
#define ZSTORE3(z0, z1, z2) VMOVUPD z0, (zp); VMOVUPD z1, 64(zp); VMOVUPD z2, K3, 128(zp); ZNEXT

#define ZLOADB1 VMOVUPD.Z (bp), K1, Z0
#define ZLOADB2 VMOVUPD (bp), Z0; VMOVUPD.Z 64(bp), K2, Z1
#define ZLOADB3 VMOVUPD (bp), Z0; VMOVUPD 64(bp), Z1; VMOVUPD.Z 128(bp), K3, Z2

#define ZLOADAT2(at) VMOVUPD at, Z0; VMOVUPD.Z 64 at, K2, Z1
#define ZLOADAT3(at) VMOVUPD at, Z0; VMOVUPD 64 at, Z1; VMOVUPD.Z 128 at, K3, Z2

// z += a·b for one row of the tile. With a single vector the multiply-add broadcasts
// a's element itself, which saves an instruction.
#define ZFMA1(at, a, z0, z1, z2) VFMADD231PD.BCST at, Z0, z0
#define ZFMA2(at, a, z0, z1, z2) VBROADCASTSD at, a; VFMADD231PD Z0, a, z0; VFMADD231PD Z1, a, z1
#define ZFMA3(at, a, z0, z1, z2) ZFMA2(at, a, z0, z1, z2); VFMADD231PD Z2, a, z2

#define ZROWS(FMA, END, next, a0, a1, a2, a3, a4, a5, a6, a7) \
	FMA(a0, Z3, Z8, Z9, Z10)    \
	END(1, next)                \
	FMA(a1, Z4, Z11, Z12, Z13)  \
	END(2, next)                \
	FMA(a2, Z5, Z14, Z15, Z16)  \
	END(3, next)                \
	FMA(a3, Z6, Z17, Z18, Z19)  \
	END(4, next)                \
	FMA(a4, Z7, Z20, Z21, Z22)  \
	END(5, next)                \
	FMA(a5, Z3, Z23, Z24, Z25)  \
	END(6, next)                \
	FMA(a6, Z4, Z26, Z27, Z28)  \
	END(7, next)                \
	FMA(a7, Z5, Z29, Z30, Z31)

#define ZACROSS(FMA, p, END, next) \
	ZROWS(FMA, END, next, p(ap), p(ap)(ai*1), p(ap)(ai*2), p(ap)(ai3*1), p(ap)(ai*4), p(ap)(ai5*1), p(ap)(ai3*2), p(ap)(ai7*1))

#define ZDOWN(FMA, at) \
	ZROWS(FMA, EVERYROW, none, at, 8 at, 16 at, 24 at, 32 at, 40 at, 48 at, 56 at)

// func microKernelAVX512(t *tileRow)
TEXT ·microKernelAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), args

tile:
	MOVQ  tileRow_rows(args), rows
	MOVQ  tileRow_cols(args), CX
	MOVQ  $const_nrAVX512, DX
	CMPQ  CX, DX
	CMOVQGT DX, CX
	MOVQ  $-1, DX
	BZHIQ CX, DX, DX // as many ones as the tile has columns
	KMOVW DX, K1
	SHRQ  $8, DX
	KMOVW DX, K2
	SHRQ  $8, DX
	KMOVW DX, K3
	CMPB  tileRow_accumulate(args), $0
	JNE   load
	ZTILE(ZZERO)
	JMP   sums

load:
	RESULT
	ZTILE(ZLOAD)

sums:
	OPERANDS
	TESTQ left, left
	JZ    store
	CMPQ  tileRow_cols(args), $8
	JLE   onevector
	CMPQ  tileRow_cols(args), $16
	JLE   twovectors
	CMPQ  rows, $const_mrAVX512
	JNE   low3
	FULLTILE(across3, down3, single3, ZLOADAT3, ZACROSS, ZDOWN, ZFMA3)

single3:
	ADDQ $4, left
	JZ   store
	LOOP(loop3, loop3next, ZLOADB3, ZACROSS, ZFMA3, EVERYROW)
	LOOP(low3, low3next, ZLOADB3, ZACROSS, ZFMA3, LASTROW)

twovectors:
	CMPQ rows, $const_mrAVX512
	JNE  low2
	FULLTILE(across2, down2, single2, ZLOADAT2, ZACROSS, ZDOWN, ZFMA2)

single2:
	ADDQ $4, left
	JZ   store
	LOOP(loop2, loop2next, ZLOADB2, ZACROSS, ZFMA2, EVERYROW)
	LOOP(low2, low2next, ZLOADB2, ZACROSS, ZFMA2, LASTROW)

onevector:
	CMPQ rows, $const_mrAVX512
	JNE  low1
	LOOP(loop1, loop1next, ZLOADB1, ZACROSS, ZFMA1, EVERYROW)
	LOOP(low1, low1next, ZLOADB1, ZACROSS, ZFMA1, LASTROW)

store:
	RESULT
	CMPQ tileRow_cols(args), $8
	JLE  store1
	CMPQ tileRow_cols(args), $16
	JLE  store2
	ZTILE(ZSTORE3)

store2:
	ZTILE(ZSTORE2)

store1:
	ZTILE(ZSTORE1)

done:
	NEXTTILE(const_nrAVX512)

// The register tile of AVX2 is 6×8: 6 rows of two vectors of 4 columns. Here a tile
// may have fewer rows, but its vectors are always full.
//
//	                        columns of z and b
//	                       0 to 3    4 to 7
//	                     ┌─────────┬─────────┐
//	           row p of b│   Y0    │   Y1    │
//	                     └─────────┴─────────┘
//	   element of a      ┌─────────┬─────────┐
//	   (0, p) in Y2      │   Y4    │   Y5    │ row 0 of z
//	   (1, p) in Y3      │   Y6    │   Y7    │
//	   (2, p) in Y2      │   Y8    │   Y9    │
//	   (3, p) in Y3      │   Y10   │   Y11   │
//	   (4, p) in Y2      │   Y12   │   Y13   │
//	   (5, p) in Y3      │   Y14   │   Y15   │ row 5 of z
//	                     └─────────┴─────────┘
#define YTILE(STEP) \
	STEP(Y4, Y5)              \
	STEP(Y6, Y7)              \
	STEP(Y8, Y9)              \
	STEP(Y10, Y11)            \
	STEP(Y12, Y13)            \
	STEP(Y14, Y15)

#define YZERO(z0, z1) VXORPD z0, z0, z0; VXORPD z1, z1, z1

#define YLOAD1(z0, z1) VMOVUPD (zp), z0; ADDQ ldz, zp; DECQ left; JZ sums
#define YLOAD2(z0, z1) VMOVUPD 32(zp), z1; YLOAD1(z0, z1)

#define YSTORE1(z0, z1) VMOVUPD z0, (zp); ADDQ ldz, zp; DECQ left; JZ done
#define YSTORE2(z0, z1) VMOVUPD z1, 32(zp); YSTORE1(z0, z1)

#define YLOADB1 VMOVUPD (bp), Y0
#define YLOADB2 YLOADB1; VMOVUPD 32(bp), Y1

#define YFMA1(at, a, z0, z1) VBROADCASTSD at, a; VFMADD231PD Y0, a, z0
#define YFMA2(at, a, z0, z1) YFMA1(at, a, z0, z1); VFMADD231PD Y1, a, z1

#define YLOADAT(at) VMOVUPD at, Y0; VMOVUPD 32 at, Y1

#define YROWS(FMA, END, next, a0, a1, a2, a3, a4, a5) \
	FMA(a0, Y2, Y4, Y5)       \
	END(1, next)              \
	FMA(a1, Y3, Y6, Y7)       \
	END(2, next)              \
	FMA(a2, Y2, Y8, Y9)       \
	END(3, next)              \
	FMA(a3, Y3, Y10, Y11)     \
	END(4, next)              \
	FMA(a4, Y2, Y12, Y13)     \
	END(5, next)              \
	FMA(a5, Y3, Y14, Y15)

#define YACROSS(FMA, p, END, next) \
	YROWS(FMA, END, next, p(ap), p(ap)(ai*1), p(ap)(ai*2), p(ap)(ai3*1), p(ap)(ai*4), p(ap)(ai5*1))

#define YDOWN(FMA, at) YROWS(FMA, EVERYROW, none, at, 8 at, 16 at, 24 at, 32 at, 40 at)

// func microKernelAVX2(t *tileRow)
TEXT ·microKernelAVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), args

tile:
	MOVQ tileRow_rows(args), rows
	CMPB tileRow_accumulate(args), $0
	JNE  load
	YTILE(YZERO)
	JMP  sums

load:
	RESULT
	CMPQ tileRow_cols(args), $4
	JEQ  load1
	YTILE(YLOAD2)

load1:
	YTILE(YLOAD1)

sums:
	OPERANDS
	TESTQ left, left
	JZ    store
	CMPQ  tileRow_cols(args), $4
	JEQ   onevector
	CMPQ  rows, $const_mrAVX2
	JNE   low2
	FULLTILE(across2, down2, single2, YLOADAT, YACROSS, YDOWN, YFMA2)

single2:
	ADDQ $4, left
	JZ   store
	LOOP(loop2, loop2next, YLOADB2, YACROSS, YFMA2, EVERYROW)
	LOOP(low2, low2next, YLOADB2, YACROSS, YFMA2, LASTROW)

onevector:
	CMPQ rows, $const_mrAVX2
	JNE  low1
	LOOP(loop1, loop1next, YLOADB1, YACROSS, YFMA1, EVERYROW)
	LOOP(low1, low1next, YLOADB1, YACROSS, YFMA1, LASTROW)

store:
	RESULT
	CMPQ tileRow_cols(args), $4
	JEQ  store1
	YTILE(YSTORE2)

store1:
	YTILE(YSTORE1)

done:
	NEXTTILE(const_nrAVX2)

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

vector:
	VMOVUPD (SI)(AX*8), Y0
	VMOVUPD Y0, (DI)(AX*8)
	ADDQ    $4, AX
	CMPQ    AX, DX
	JLT     vector
	ADDQ    R8, DI
	ADDQ    R9, SI
	DECQ    CX
	JNZ     row
	VZEROUPPER
	RET

// TRANSPOSE4 transposes the 4×4 block at SI, whose rows are R9 bytes apart, to DI, where
// rows are R8 bytes apart. R10 is 3·R9, and R11 is 3·R8.
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
	JLE  last

four:
	TRANSPOSE4
	ADDQ $32, SI
	LEAQ (DI)(R8*4), DI
	SUBQ $4, CX
	JGT  four

last: // The last block begins at width-4 and may repeat columns that are done.
	LEAQ  (SI)(CX*8), SI
	IMULQ R8, CX
	ADDQ  CX, DI
	TRANSPOSE4
	VZEROUPPER
	RET

// func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func pause()
TEXT ·pause(SB), NOSPLIT, $0-0
	PAUSE
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET
