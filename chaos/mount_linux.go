package main

import (
	"fmt"
	"syscall"
)

// mount puts a file system of so many MB, in memory, over a folder. Only root may.
func mount(folder string, mb int) error {
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0755", mb)); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	return nil
}

func unmount(folder string) error {
	if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount tmpfs: %w", err)
	}
	return nil
}
