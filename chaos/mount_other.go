//go:build !linux

package main

import "errors"

func mount(string, int) error { return errors.New("mount tmpfs: only on Linux") }

func unmount(string) error { return nil }
