//go:build unix && !linux

package cluster

import "errors"

func mount(string, string) error { return errors.ErrUnsupported }

func resize(string, string) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }
