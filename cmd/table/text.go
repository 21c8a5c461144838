// The text of a file: one that is read ahead, and one that is not UTF-8.

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"unicode/utf8"
)

// A stream is a file that may have to be waited for, such as a pipe. A goroutine reads it
// ahead, so that Read knows whether it would wait.
type stream struct {
	ctx    context.Context
	chunks chan []byte
	rest   []byte       // of the last chunk
	err    error        // the end, known when chunks is closed
	idle   func() error // is called before Read waits
}

// isStream reports whether a file may have to be waited for: standard input, and what is
// neither a regular file nor a folder.
func isStream(name string) bool {
	info, err := os.Stat(name)
	return name == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// openStream opens a file, or standard input if the name is -. Nothing is read any more when
// the context is cancelled.
func openStream(ctx context.Context, name string) *stream {
	s, file := &stream{ctx: ctx, chunks: make(chan []byte)}, os.Stdin
	go func() {
		defer close(s.chunks)
		if name != "-" {
			if file, s.err = os.Open(name); s.err != nil { // which waits for the other end of a pipe
				return
			}
			defer file.Close()
		}
		var buffers [2][1 << 16]byte // one is filled while the other is read
		for i := 0; s.err == nil; i = 1 - i {
			var n int
			n, s.err = file.Read(buffers[i][:])
			select {
			case s.chunks <- buffers[i][:n]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

func (s *stream) Read(p []byte) (n int, err error) {
	for ok := true; len(s.rest) == 0; {
		select {
		case s.rest, ok = <-s.chunks:
		default:
			if err := s.idle(); err != nil {
				return 0, err
			}
			select {
			case s.rest, ok = <-s.chunks:
			case <-s.ctx.Done():
				return 0, context.Cause(s.ctx)
			}
		}
		if !ok {
			return 0, s.err
		}
	}
	n = copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// A utf8Reader is a file as UTF-8: a byte that is not part of a character of UTF-8 is taken as
// one of Windows-1252, which has the characters of Latin-1. What stands before does not matter,
// so that two readings agree, and a pipe becomes the same as a file.
type utf8Reader struct {
	*bufio.Reader
	first func(b byte, line int) // is called for the first such byte

	text  []byte // converted, not yet returned
	room  []byte
	lines int
}

func (u *utf8Reader) Read(p []byte) (n int, err error) {
	if len(u.text) == 0 {
		err = u.convert()
	}
	n = copy(p, u.text)
	u.text = u.text[n:]
	return n, err
}

// convert makes text of what is in the buffer, without the beginning of a character whose end
// has not been read.
func (u *utf8Reader) convert() error {
	begun, err := u.Peek(1)
	for err == nil && !utf8.FullRune(begun) {
		begun, err = u.Peek(len(begun) + 1)
	}
	chunk, _ := u.Peek(u.Buffered())
	if len(chunk) == 0 || err != nil && err != io.EOF {
		return err
	}
	used := len(chunk)
	if u.text = chunk; !utf8.Valid(chunk) {
		u.room = u.room[:0]
		for used = 0; used < len(chunk) && (utf8.FullRune(chunk[used:]) || err != nil); {
			r, size := utf8.DecodeRune(chunk[used:])
			if r == utf8.RuneError && size == 1 {
				if u.first != nil {
					u.first(chunk[used], 1+u.lines+bytes.Count(chunk[:used], []byte("\n")))
					u.first = nil
				}
				r = windows1252(chunk[used])
			}
			u.room = utf8.AppendRune(u.room, r)
			used += size
		}
		u.text = u.room
	}
	u.lines += bytes.Count(chunk[:used], []byte("\n"))
	u.Discard(used)
	return nil
}

// windows1252 returns the character of a byte from 0x80.
func windows1252(b byte) rune {
	if b < 0xa0 {
		return []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")[b-0x80]
	}
	return rune(b)
}
