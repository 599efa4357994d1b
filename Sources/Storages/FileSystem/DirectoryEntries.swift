import Platform

/// Reads the entries of a directory, in the order the file system has them.
enum DirectoryEntries {
    /// Calls `body` with each entry's name and kind, but for "." and "..".
    ///
    /// The kind is `nil` on file systems that do not keep it with the entry. The pointer is valid during the call.
    static func forEach(
        in directory: Descriptor,
        _ body: (UnsafePointer<CChar>, FileStatus.Kind?) throws -> Void
    ) throws {
        // A stream takes its descriptor over and moves its offset, so it gets one of its own.
        let number = directory.use { openat($0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard number >= 0 else { throw SystemCallError.last("openat") }
        guard let stream = fdopendir(number) else {
            let error = SystemCallError.last("fdopendir")
            _ = close(number)
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw SystemCallError.last("readdir") }
                return
            }
            let kind: FileStatus.Kind? =
                switch Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_LNK): .symbolicLink
                case Int(DT_UNKNOWN): nil
                default: .other
                }
            // The record is shorter than the C struct: the name is used in place, never copied out as the whole array.
            try withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                try tuple.withMemoryRebound(to: CChar.self, capacity: 1) { name in
                    if strcmp(name, ".") != 0 && strcmp(name, "..") != 0 { try body(name, kind) }
                }
            }
        }
    }
}
