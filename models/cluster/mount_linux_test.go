package cluster

import "syscall"

func mount(dir, options string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, options+",mode=0711")
}
