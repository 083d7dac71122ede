package engine

import "time"

// pulls are the images on a node: a handful at most, so a list.
type pulls struct {
	images []pulled
	// idle is when the kubelet has done all pulls asked of it so far: it pulls one
	// image after the other (serializeImagePulls).
	idle time.Duration
}

type pulled struct {
	image int32
	at    time.Duration
}

// pull returns how long a build that is placed now waits for its image, and records
// the pull. An image that is being pulled is waited for, not pulled again.
func (p *pulls) pull(image int32, takes, now time.Duration) time.Duration {
	if takes == 0 {
		return 0
	}
	for _, have := range p.images {
		if have.image == image {
			return max(0, have.at-now)
		}
	}
	p.idle = max(p.idle, now) + takes
	p.images = append(p.images, pulled{image, p.idle})
	return p.idle - now
}

// imageTimes returns, by shape, which image the builds need and how long a node takes
// to pull it; 0 for those baked into the nodes.
func imageTimes(s *Settings) (images []int32, takes []time.Duration) {
	numbers := map[string]int32{}
	images = make([]int32, len(s.Trace.Shapes))
	takes = make([]time.Duration, len(s.Trace.Shapes))
	for i, shape := range s.Trace.Shapes {
		if _, ok := numbers[shape.Image]; !ok {
			numbers[shape.Image] = int32(len(numbers))
		}
		images[i] = numbers[shape.Image]
		if image := s.Images[shape.Image]; shape.Image != "" && !image.Baked {
			takes[i] = image.Pull
		}
	}
	return images, takes
}
