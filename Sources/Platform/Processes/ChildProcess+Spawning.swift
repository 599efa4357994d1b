extension ChildProcess {
    /// Starts a program with nothing open but its input, its output and its error output; returns its number.
    static func spawn(_ arguments: [String], _ environment: [String: String], _ options: Options) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        if let input = options.input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        switch options.output {
        case .nowhere: posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        case .file(let path): posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 1)
        }
        if options.mergesErrors {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        }

        // A server ignores SIGPIPE, and the threads of Dispatch block all signals; a child would inherit both.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        sigdelset(&signals, SIGKILL)
        sigdelset(&signals, SIGSTOP)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        if options.leadsGroup {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= Int32(POSIX_SPAWN_SETPGROUP)
        }
        #if canImport(Darwin)
            flags |= Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #else
            closeFiles(from: 3, in: &actions)
        #endif
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid: pid_t = 0
        let status = withCStrings(arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                argv[0].map { posix_spawnp(&pid, $0, &actions, &attributes, argv, envp) } ?? EINVAL
            }
        }
        guard status == 0 else { throw Failure.notStarted(errno: status) }
        return pid
    }

    #if !canImport(Darwin)
        private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

        /// Makes the child close all descriptors from one on: libraries open some without close-on-exec.
        private static func closeFiles(from first: Int32, in actions: inout posix_spawn_file_actions_t) {
            // glibc 2.34 has it, but declares it only with _GNU_SOURCE. A null handle means all libraries.
            if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
                // The type is that of the declaration in glibc's spawn.h.
                let closeFrom = unsafeBitCast(symbol, to: CloseFrom.self)
                _ = closeFrom(&actions, first)
                return
            }
            // Those that are open now. One that another thread closes meanwhile does no harm: the child ignores that.
            guard let directory = opendir("/proc/self/fd") else { return }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard let descriptor = Int32(name), descriptor >= first else { continue }
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
    #endif

    /// Calls `body` with a vector of C strings that ends in a null pointer.
    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { vector[index] = strdup(string) }
        vector[strings.count] = nil
        defer {
            for index in strings.indices { free(vector[index]) }
            vector.deallocate()
        }
        return body(vector)
    }
}
