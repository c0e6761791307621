package simrun

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// A test process does not outlive a command that is killed.
func TestEndsWithUs(t *testing.T) {
	switch os.Getenv("ASSAY_TEST_GROUP") {
	case "command":
		cmd := exec.Command(os.Args[0], "-test.run=^TestEndsWithUs$")
		cmd.Env = append(os.Environ(), "ASSAY_TEST_GROUP=process")
		cmd.Stdin, cmd.Stdout, cmd.SysProcAttr = os.Stdin, os.Stdout, ownGroup()
		runtime.LockOSThread()
		_ = cmd.Run()
		return
	case "process":
		os.Stdout.WriteString("runs\n")
		_, _ = io.Copy(io.Discard, os.Stdin) // until this test is over
		os.Stdout.WriteString("went on\n")
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("there is no such thing on " + runtime.GOOS)
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestEndsWithUs$")
	cmd.Env = append(os.Environ(), "ASSAY_TEST_GROUP=command")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	out := bufio.NewReader(r)
	if line, err := out.ReadString('\n'); line != "runs\n" {
		t.Fatal(line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // and closes what the process reads
	if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v: it outlived the command", rest, err)
	}
}
