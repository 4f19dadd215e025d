package packagepage

import (
	"time"

	"packhouse/internal/packages"
)

// chart is the downloads of the last days, as bars.
type chart struct {
	Total, Recent int64 // of all time, and of the days
	Bars          []bar
	Width, Height int64
}

// bar is one day of a chart.
type bar struct {
	Day          time.Time
	Count        int64
	X, Y, W, H   int64
	HasSomething bool
}

// Sizes in the units of the picture.
const chartHeight, column, gap = 64, 9, 2

func chartOf(d packages.Downloads) chart {
	c := chart{Total: d.Total, Height: chartHeight, Width: int64(len(d.Days)) * column}
	var most int64
	for _, day := range d.Days {
		most = max(most, day.Count)
		c.Recent += day.Count
	}
	for i, day := range d.Days {
		height := int64(1) // a day without pulls is a line
		if day.Count > 0 {
			height = max(3, day.Count*chartHeight/most)
		}
		c.Bars = append(c.Bars, bar{
			Day: day.Day, Count: day.Count, X: int64(i) * column, Y: chartHeight - height, W: column - gap, H: height, HasSomething: day.Count > 0,
		})
	}
	return c
}
