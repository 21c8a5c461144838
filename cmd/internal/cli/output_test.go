// When a run's files are written. Not here: that each is complete (files_test.go).

package cli

import (
	"testing"
	"time"

	"mlp"
)

// A model is serialised only when it is saved: at once at first, then not before the
// next save is due, and at the end.
func TestSavedWhenDue(t *testing.T) {
	out, err := NewOutput(t.TempDir(), func(mlp.History) []File { return nil })
	if err != nil {
		t.Fatal(err)
	}
	e := mlp.Epoch{N: 1}
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 3, 2), Run: mlp.Run{History: mlp.History{e}}}
	if err := out.Add(m); err != nil || out.Saved != 1 {
		t.Fatalf("epochs saved: %d, error %v", out.Saved, err)
	}
	bad := &mlp.Model{Run: mlp.Run{History: mlp.History{e, {N: 2}, {N: 3}}}} // it cannot be serialised
	out.Next = time.Now().Add(time.Hour)
	if err := out.Add(bad); err != nil || out.Saved != 1 {
		t.Errorf("not due: epochs saved: %d, error %v", out.Saved, err)
	}
	m.Run.History = append(m.Run.History, mlp.Epoch{N: 2})
	if err := out.Save(m); err != nil || out.Saved != 2 {
		t.Errorf("at the end: epochs saved: %d, error %v", out.Saved, err)
	}
	if err := out.Save(bad); err == nil || out.Saved != 2 {
		t.Errorf("a model that cannot be written: epochs saved: %d, error %v", out.Saved, err)
	}
	out.Failed = nil
	out.start, out.Next = out.start.Add(-time.Minute), time.Time{}
	before := time.Now()
	if err := out.Add(m); err != nil || out.Next.Before(before.Add(time.Second)) {
		t.Errorf("after a minute the next save is due in %v, error %v", out.Next.Sub(before), err)
	}
}
