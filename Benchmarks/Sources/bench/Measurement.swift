import Foundation

#if os(Linux)
    import CSyncFS
    import Glibc
#endif

/// The cost of a span of work.
///
/// Times in seconds, sizes in KiB; what the system does not tell is `nil`.
struct Measurement: Sendable {
    var wall = 0.0
    var user = 0.0
    var system = 0.0
    /// The most memory that was resident within the span (VmHWM, reset at its start).
    var peakResident: Int?
    /// The memory that was resident before it.
    var baseResident: Int?
    /// CPU of the PostgreSQL server and its backends within the span.
    var server: Double?
    /// CPU of everybody else on the machine: distrust `wall` where this is not small.
    var other: Double?
    /// CPU that the hypervisor kept for others.
    var steal: Double?
    /// The time that the file system took, after the span, to write what was left in the page cache.
    var flush: Double?

    /// Measures a span as the peers' `Ctx.timed` does.
    ///
    /// - Parameters:
    ///   - folder: A folder whose file system is flushed before the span, so that it starts with nothing to write, and
    ///     after it.
    ///   - work: The span.
    static func of(flushing folder: String? = nil, _ work: () async throws -> Void) async throws -> Measurement {
        var result = Measurement()
        if let folder { try flush(folder) }
        result.baseResident = processStatus("VmRSS")
        resetPeakResident()
        let serverBefore = serverCPU()
        let machineBefore = machineCPU()
        let before = ownCPU()
        let clock = ContinuousClock()
        let start = clock.now
        try await work()
        result.wall = seconds(start.duration(to: clock.now))
        let after = ownCPU()
        let machineAfter = machineCPU()
        let serverAfter = serverCPU()
        result.user = after.user - before.user
        result.system = after.system - before.system
        result.peakResident = processStatus("VmHWM")
        if let serverBefore, let serverAfter { result.server = serverAfter - serverBefore }
        if let machineBefore, let machineAfter {
            let own = result.user + result.system + (result.server ?? 0)
            result.other = max(0, machineAfter.busy - machineBefore.busy - own)
            result.steal = machineAfter.steal - machineBefore.steal
        }
        if let folder { result.flush = try flush(folder) }
        return result
    }

    /// User and system CPU seconds of this process so far.
    static func ownCPU() -> (user: Double, system: Double) {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    @discardableResult
    private static func flush(_ folder: String) throws -> Double? {
        #if os(Linux)
            let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw BenchError("cannot open \(folder): \(String(cString: strerror(errno)))")
            }
            defer { close(descriptor) }
            let clock = ContinuousClock()
            let start = clock.now
            guard syncfs(descriptor) == 0 else {
                throw BenchError("cannot flush \(folder): \(String(cString: strerror(errno)))")
            }
            return seconds(start.duration(to: clock.now))
        #else
            return nil
        #endif
    }

    // MARK: - /proc

    /// A line of /proc/self/status, in KiB.
    private static func processStatus(_ key: String) -> Int? {
        for line in lines(of: "/proc/self/status") where line.hasPrefix(key + ":") {
            return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        }
        return nil
    }

    /// Sets VmHWM back to what is resident now (proc(5): 5 in clear_refs).
    private static func resetPeakResident() {
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    /// CPU seconds of the whole machine: busy, and stolen (proc(5), /proc/stat).
    private static func machineCPU() -> (busy: Double, steal: Double)? {
        guard let line = lines(of: "/proc/stat").first else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard ticks.count >= 8 else { return nil }
        return ((ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticksPerSecond, ticks[7] / ticksPerSecond)
    }

    /// CPU seconds of the postmaster, of the backends it has reaped and of those that live.
    private static func serverCPU() -> Double? {
        guard let postmaster = ProcessInfo.processInfo.environment["PEERS_PG_PID"].flatMap({ Int($0) }),
            let own = processCPU(postmaster), let all = try? FileManager.default.contentsOfDirectory(atPath: "/proc")
        else { return nil }
        var ticks = own.ticks.reduce(0, +)
        for process in all.compactMap({ Int($0) }) {
            if let child = processCPU(process), child.parent == postmaster {
                ticks += child.ticks[0] + child.ticks[1]
            }
        }
        return ticks / ticksPerSecond
    }

    /// The parent of a process, and its utime, stime, cutime and cstime (proc(5), /proc/PID/stat).
    private static func processCPU(_ process: Int) -> (parent: Int, ticks: [Double])? {
        // The second field is the program's name in parentheses and may hold anything, blanks and parentheses too.
        guard let line = lines(of: "/proc/\(process)/stat").first, let name = line.lastIndex(of: ")") else {
            return nil
        }
        let fields = line[line.index(after: name)...].split(separator: " ")
        guard fields.count > 14, let parent = Int(fields[1]) else { return nil }
        return (parent, fields[11..<15].compactMap { Double($0) })
    }

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static func lines(of path: String) -> [Substring] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n")
    }
}
