"""The jobs edge: what happens by the clock instead of by request. What a job does is a service's business."""
