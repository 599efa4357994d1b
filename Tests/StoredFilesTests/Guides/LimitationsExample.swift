// The code of the article Limitations, block by block: GuideTests compares the two.
import StoredFiles

enum LimitationsGuide {
    func connectWithoutConditions(to address: String, storages: StorageRegistry) async throws -> Database {
        let lifecycle = LifecycleConfiguration(requiresConditionalUploads: false)
        return try await Database.connect(address, storages: storages, lifecycle: lifecycle)
    }
}
