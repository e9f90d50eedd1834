package cluster

import "syscall"

// mount puts a small disk at dir, which only root may, and not everywhere.
func mount(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0711,size="+size)
}

func resize(dir, size string) error {
	return syscall.Mount("", dir, "tmpfs", syscall.MS_REMOUNT, "mode=0711,size="+size)
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }
