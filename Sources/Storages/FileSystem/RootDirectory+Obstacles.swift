extension RootDirectory {
    /// An entry that stands where a directory was needed.
    enum Obstacle {
        case symbolicLink(String)
        case file(String)
    }

    /// The first segment on the way to a name, or its end, that is a link, or that is a file where more follows.
    func firstObstacle(on name: String) -> Obstacle? {
        var path = ""
        var current = descriptor
        let segments = name.pathSegments
        for (index, segment) in segments.enumerated() {
            path += path.isEmpty ? segment : "/" + segment
            guard let status = try? SystemCall.status(of: segment, in: current) else { return nil }
            switch status.kind {
            case .symbolicLink: return .symbolicLink(path)
            case .file, .other: return index + 1 < segments.count ? .file(path) : nil
            case .directory:
                guard let next = try? SystemCall.openDirectory(segment, in: current) else { return nil }
                current = next
            }
        }
        return nil
    }
}
