"""One contract suite over every implementation of `ports.upstream.Upstream`, on real sockets."""
