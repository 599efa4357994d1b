// The C library of the platform, for all targets: they import this module instead.
#if canImport(Darwin)
    @_exported public import Darwin
#else
    // Types that several headers declare belong to one of these modules or the other.
    @_exported public import CLinuxEvents
    #if canImport(Musl)
        @_exported public import Musl
    #else
        @_exported public import Glibc
    #endif
#endif

/// Closes a descriptor, unless it is negative.
///
/// A method named `close` would hide the system's function.
package func closeDescriptor(_ descriptor: Int32) {
    if descriptor >= 0 { _ = close(descriptor) }
}
