package rig

import "errors"

// closers are the things to end, in the reverse of the order in which they
// began.
type closers []func() error

func (c *closers) add(end func() error) { *c = append(*c, end) }

// close ends everything once, whatever goes wrong on the way.
func (c *closers) close() error {
	var errs []error
	for len(*c) > 0 {
		last := len(*c) - 1
		end := (*c)[last]
		*c = (*c)[:last]
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}
