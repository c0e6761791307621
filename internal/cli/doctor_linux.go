package cli

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// futureFindings are about what no run needs yet: packets instead of streams, and faulty disks.
func futureFindings(ctx context.Context) []finding {
	return []finding{namespaces(ctx), device("/dev/net/tun", "packets of links can be bent only there; links bend streams", "sudo modprobe tun"),
		device("/dev/fuse", "faults of disks need it", "sudo modprobe fuse")}
}

// namespaces starts a program in a user and a network namespace of its own.
func namespaces(ctx context.Context) finding {
	const means = "evidence of the grade packet needs them; links bent by proxies give the grade stream"
	path, err := exec.LookPath("true")
	if err != nil {
		return poor("namespaces", err.Error(), means, "")
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	if err := cmd.Run(); err != nil {
		return poor("namespaces", "none without root: "+err.Error(), means, namespaceFix())
	}
	return good("namespaces", "user and network namespaces without root")
}

func namespaceFix() string {
	for name, wrong := range map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1", "kernel/unprivileged_userns_clone": "0", "user/max_user_namespaces": "0"} {
		if text, err := os.ReadFile("/proc/sys/" + name); err == nil && strings.TrimSpace(string(text)) == wrong {
			right := map[string]string{"1": "0", "0": "1"}[wrong]
			if name == "user/max_user_namespaces" {
				right = "15000"
			}
			return "sudo sysctl -w " + strings.ReplaceAll(name, "/", ".") + "=" + right
		}
	}
	return "in a container: run it with --security-opt seccomp=unconfined, or on the machine itself"
}

func device(path, means, fix string) finding {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return poor(path, err.Error(), means, fix)
	}
	file.Close()
	return good(path, "can be opened")
}
