package simrun

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Whatever a process writes, a bounded part is kept: the beginning, the end, and who failed.
func TestTranscript(t *testing.T) {
	var whole transcript
	fmt.Fprint(&whole, "one\n", "two\n")
	if whole.String() != "one\ntwo\n" {
		t.Errorf("%q", whole.String())
	}

	var long transcript
	line := []byte(strings.Repeat("x", 99) + "\n")
	var said int
	for i := range 50 {
		if i == 5 || i == 25 {
			said += len(fmt.Sprintf("    --- FAIL: TestOf%d (0.00s)\n", i))
			fmt.Fprintf(&long, "    --- FAIL: TestOf%d (0.00s)\n", i)
		}
		n, err := long.Write(bytes.Repeat(line, 1<<20/100+i))
		if said += n; err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			fmt.Fprint(&long, "first\n")
			said += len("first\n")
		}
	}
	fmt.Fprint(&long, "FAIL\n")
	said += len("FAIL\n")
	got := long.String()
	for _, want := range []string{"--- FAIL: TestOf5 (0.00s)\n", "--- FAIL: TestOf25 (0.00s)\n", " bytes of output are left out here]\n"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is there %d times", want, strings.Count(got, want))
		}
	}
	if !strings.HasPrefix(got, string(line)) || !strings.HasSuffix(got, "x\nFAIL\n") || long.text.Len() > mostText || cap(long.text.Bytes()) > 3*mostText {
		t.Errorf("%d bytes of %d are kept, in %d", long.text.Len(), said, cap(long.text.Bytes()))
	}
	if long.text.Len()+long.left != said {
		t.Errorf("%d are kept and %d left out, of %d", long.text.Len(), long.left, said)
	}

	var once transcript // in one piece
	once.Write(bytes.Repeat(line, 1<<20))
	if once.text.Len() > mostText || once.text.Len()+once.left != 100<<20 {
		t.Errorf("%d are kept and %d left out", once.text.Len(), once.left)
	}
}
