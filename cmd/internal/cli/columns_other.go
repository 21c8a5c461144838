//go:build !darwin && !linux

package cli

import "os"

// columns returns 80: here the standard library cannot ask a terminal for its width.
func columns(*os.File) int { return 80 }
