import NIOCore

extension ImageDecoder {
    /// The resources that a decoder may use.
    public struct Configuration: Sendable {
        /// The bytes of memory of all decodes together.
        ///
        /// Default 256 MiB; more than 0. An image that needs more than all of it is taken by its header.
        public var memory: Int64 = 256 << 20
        /// The most images that wait for memory, and the most that wait for a thread; one more fails with
        /// ``ImageError/Code/busy``.
        ///
        /// Default 256; 0 to 1,000,000.
        public var maxWaiting = 256
        /// The time that an image waits for memory, and again for a thread, before it fails with
        /// ``ImageError/Code/busy``.
        ///
        /// Default 30 seconds; 1 millisecond to 24 hours.
        public var waitTimeout: Duration = .seconds(30)
        /// The number of threads.
        ///
        /// Default 2, but 1 on a machine of fewer than four processors: a decode takes a whole one, and requests need
        /// the others. 1 to 1024.
        public var threads = min(2, max(1, System.coreCount / 2))
        /// The closure that is called on the decoding thread before each decode, for tests.
        ///
        /// Default: nothing.
        package var willDecode: (@Sendable () -> Void)?

        /// Creates a configuration with the defaults.
        public init() {}

        /// Refuses values that make no sense.
        ///
        /// - Throws: ``ImageError`` with code ``ImageError/Code/invalidConfiguration`` that names the property.
        func validate() throws(ImageError) {
            try require(memory > 0, "memory", "more than 0")
            try require((0...1_000_000).contains(maxWaiting), "maxWaiting", "0 to 1,000,000")
            let timeouts = Duration.milliseconds(1)...Duration.seconds(86_400)
            try require(timeouts.contains(waitTimeout), "waitTimeout", "1 millisecond to 24 hours")
            try require((1...1024).contains(threads), "threads", "1 to 1024")
        }

        private func require(_ isValid: Bool, _ property: String, _ expected: StaticString) throws(ImageError) {
            guard !isValid else { return }
            throw ImageError(
                .invalidConfiguration,
                "ImageDecoder.Configuration.\(property) cannot be used: it must be \(expected)."
            )
        }
    }
}
