import Foundation
import Testing

#if os(Linux)
    /// The memory of this process, for tests that have the process to themselves.
    enum ProcessMemory {
        /// Bytes that are resident now.
        static func resident() throws -> Int { try field("VmRSS:") }

        /// The most bytes that were resident at once since the last ``resetPeak()``.
        static func peak() throws -> Int { try field("VmHWM:") }

        /// The bytes of address space.
        static func addresses() throws -> Int { try field("VmSize:") }

        /// Begins to measure the peak anew (proc(5), clear_refs).
        static func resetPeak() throws {
            let file = try #require(fopen("/proc/self/clear_refs", "w"))
            fputs("5", file)
            try #require(fclose(file) == 0)
        }

        private static func field(_ name: String) throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
            return try #require(Int(line.filter(\.isNumber))) * 1024
        }
    }
#endif
