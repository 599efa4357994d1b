// The second example of the README, word for word between the marks: the test beside it compares the text.
// README: begin
import ServiceLifecycle
import StoredFiles

func serve(_ database: Database, _ server: some Service) async throws {
    let reaper = Reaper(database, configuration: ReaperConfiguration(retention: .seconds(3600)))
    let group = ServiceGroup(services: [reaper, server], logger: database.logger)
    try await group.run()
}

func maintain(_ database: Database, _ copied: StorageFile) async throws {
    // Deletes the file now, for example to honour an erasure request.
    try await database.purge(copied.name, in: .documents)

    // A file belongs to one row. A second row gets a copy.
    var photo = Photo(title: "Twin")
    photo.release = try await database.copy(copied, for: \Photo.$release)
    try await database.insert(&photo)

    // Finds objects without rows and rows without objects. By default it only reports them.
    let summary = try await database.fsck(.media) { finding in print(finding) }
    print("\(summary.objects) objects, \(summary.orphans) orphans")
}
// README: end
