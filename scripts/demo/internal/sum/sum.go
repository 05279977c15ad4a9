// Package sum adds numbers that are written as text.
package sum

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// ErrOverflow is returned where the sum of two numbers does not fit an int64.
var ErrOverflow = errors.New("the sum is too large")

// Of returns a + b.
func Of(a, b string) (int64, error) {
	x, err := parse(a)
	if err != nil {
		return 0, err
	}
	y, err := parse(b)
	if err != nil {
		return 0, err
	}
	if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
		return 0, ErrOverflow
	}
	return x + y, nil
}

func parse(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return number, nil
}
