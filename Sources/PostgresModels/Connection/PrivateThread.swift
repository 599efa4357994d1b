// The headers of the C library that libpq includes define the thread types once more.
internal import CLibPQ
import Platform

/// Threads for what blocks inside libpq (connecting, cancelling), so that no cooperative thread ever does.
enum PrivateThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Runs `body` on a thread of its own that ends with it.
    ///
    /// - Returns: false when the system has no thread left; `body` is not run then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // getaddrinfo, TLS and GSS need more than the smallest stack, and far less than the default of 8 MiB.
        pthread_attr_setstacksize(&attributes, 512 << 10)
        let argument = Unmanaged.passRetained(Body(body))
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, &attributes, { PrivateThread.enter($0) }, argument.toOpaque())
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, &attributes, { PrivateThread.enter($0) }, argument.toOpaque())
        #endif
        if status != 0 { argument.release() }
        return status == 0
    }

    /// A number that tells threads apart while they live.
    static var current: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    private static func enter(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
    }
}
