import Foundation
import NIOCore
import StoredFilesTesting
import Testing

@testable import StorageImages

#if os(Linux)
    /// The budget counts what libgd and its codecs really take.
    @Suite(.disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")) struct DecodeMemoryTests {
        @Test(
            "Decoding a JPEG takes no more memory than was estimated",
            arguments: [(1, true, true), (3, true, true), (4, true, true), (3, false, true), (3, false, false)]
        )
        func aDecodeTakesNoMoreThanItIsCountedFor(_ components: Int, _ isProgressive: Bool, _ isInterleaved: Bool) async
        {
            await #expect(processExitsWith: .success) { [components, isProgressive, isInterleaved] in
                var builder = JPEGBuilder(
                    components: components,
                    isProgressive: isProgressive,
                    isInterleaved: isInterleaved
                )
                let decoder = ImageDecoder()
                let prober = ImageProber(decoder: decoder)
                // Warm: threads, libgd and its libraries.
                _ = try await prober.probe(bytes: builder.bytes())
                (builder.width, builder.height) = (4000, 3000)
                let file = ByteBuffer(bytes: builder.bytes())
                let scan = try ImageGuard().check(file)
                let counted = ImageGuard.decodeMemory(
                    for: scan.header,
                    byteCount: 0,
                    hasSeveralScans: scan.hasSeveralScans
                )
                let before = try ProcessMemory.resident()
                try ProcessMemory.resetPeak()
                #expect(try await prober.probe(bytes: file).isVerified)
                let taken = try ProcessMemory.peak() - before
                #expect(taken < Int(counted) + 8 << 20, "\(taken) bytes were taken, \(counted) counted")
                // It is a bound, but not a wild one.
                #expect(taken > Int(counted) / 2, "\(taken) bytes were taken, \(counted) counted")
            }
        }

        @Test("A decode that runs out of memory fails as busy, and works again later")
        func anImageIsNotBlamedForAMachineWithoutMemory() async {
            await #expect(processExitsWith: .success) {
                let file = ByteBuffer(bytes: JPEGBuilder(width: 4000, height: 3000, isProgressive: true).bytes())
                let scan = try ImageGuard().check(file)
                let memory = ImageGuard.decodeMemory(for: scan.header, byteCount: scan.byteCount)
                // On this thread, so that nothing but the decode runs while there is no memory.
                func decode() throws(ImageError) -> ImageDecoder.Decoded? {
                    try ImageDecoder.decode(file, scan.header, .jpeg, memory: memory)
                }
                #expect(try decode() != nil)
                var limit = rlimit()
                getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
                let unlimited = limit.rlim_cur
                limit.rlim_cur = rlim_t(try ProcessMemory.addresses() + 48 << 20)
                setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
                let outcome = Result { try decode() }
                limit.rlim_cur = unlimited
                setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
                let error = #expect(throws: ImageError.self) { try outcome.get() }
                #expect(error?.code == .busy)
                #expect(try decode() != nil)
            }
        }
    }
#endif
